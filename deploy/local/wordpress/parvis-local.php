<?php
// A must-use plugin of the local site only.

// All visitors come from 127.0.0.1 here, so WordPress would take any two of them for one who floods. Its check stays on for
// members and for whoever asks for it.
add_filter('comment_flood_filter', function ($flooding) {
    return (is_user_logged_in() && PARVIS_FLOOD_CHECK) || isset($_SERVER['HTTP_X_PARVIS_FLOOD']) ? $flooding : false;
}, 20);

// The site's own journal, one line of JSON an event, which judges in the end what we say about it.
function parvis_journal(array $entry): void {
    $user = wp_get_current_user();
    $entry['by'] = $user && $user->user_login === 'brand' ? 'us' : 'audience';
    $entry['time'] = microtime(true);
    file_put_contents(PARVIS_JOURNAL, json_encode($entry, JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE) . "\n",
                      FILE_APPEND | LOCK_EX);
}

function parvis_root(WP_Comment $comment): int {
    while ($comment->comment_parent && ($above = get_comment($comment->comment_parent))) {
        $comment = $above;
    }
    return (int) $comment->comment_ID;
}

function parvis_comment(string $kind, WP_Comment $comment): void {
    // As the visitor typed it; what the site stores has entities.
    $text = isset($_POST['comment']) ? wp_unslash($_POST['comment']) : html_entity_decode($comment->comment_content, ENT_QUOTES | ENT_HTML5);
    parvis_journal(['kind' => $kind, 'remote_id' => (string) $comment->comment_ID, 'post' => (string) $comment->comment_post_ID,
                    'parent' => (string) ($comment->comment_parent ?: $comment->comment_post_ID), 'thread' => (string) parvis_root($comment),
                    'author' => $comment->comment_author, 'text' => $text]);
}

add_action('wp_insert_comment', function ($id, $comment) {
    parvis_comment(wp_get_current_user()->user_login === 'brand' ? 'reply' : 'comment', $comment);
}, 10, 2);
add_action('transition_comment_status', function ($new, $old, $comment) {
    $ours = wp_get_current_user()->user_login === 'brand';
    $kinds = ['unapproved' => 'hide', 'approved' => 'unhide', 'trash' => $ours ? 'delete' : 'removal', 'spam' => $ours ? 'hide' : 'removal'];
    if ($new !== $old && isset($kinds[$new])) {
        parvis_comment($kinds[$new], $comment);
    }
}, 10, 3);
add_action('transition_post_status', function ($new, $old, $post) {
    if ($new === 'publish' && $old !== 'publish' && $post->post_type === 'post') {
        parvis_journal(['kind' => 'post', 'remote_id' => (string) $post->ID, 'thread' => '', 'text' => wp_strip_all_tags($post->post_content)]);
    }
}, 10, 3);
