<?php
// Run by site.py with the PHP command line: installs WordPress into its empty database if that has not been done, sets the
// options and prints the accounts as JSON. Passwords come in the environment.
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = parse_url(getenv('PARVIS_WP_URL'), PHP_URL_HOST) . ':' . parse_url(getenv('PARVIS_WP_URL'), PHP_URL_PORT);
$_SERVER['REQUEST_URI'] = '/';
require getenv('PARVIS_WP_ROOT') . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
if (!is_blog_installed()) {
    wp_install('Parvis local', 'parvis', 'parvis@example.org', true, '', getenv('PARVIS_WP_PASSWORD'));
    wp_delete_post(1, true);   // "Hello world!" and its comment
}
foreach (['comment_moderation' => getenv('PARVIS_WP_MODERATION'), 'comment_previously_approved' => '0', 'comments_notify' => '0',
          'moderation_notify' => '0', 'thread_comments' => '1', 'thread_comments_depth' => '10', 'timezone_string' => 'Europe/Paris',
          'close_comments_for_old_posts' => '0', 'comment_max_links' => '0', 'page_comments' => '0'] as $option => $value) {
    update_option($option, $value);
}
global $wp_rewrite;
$wp_rewrite->set_permalink_structure('/%postname%/');
flush_rewrite_rules(false);
function account(string $login, string $role): array {
    $user = get_user_by('login', $login);
    if (!$user) {
        $id = wp_insert_user(['user_login' => $login, 'user_pass' => wp_generate_password(32), 'user_email' => "$login@example.org",
                              'role' => $role, 'display_name' => ucfirst($login)]);
        $user = get_user_by('id', $id);
    }
    // Kept between starts, so that a channel connected in an earlier one goes on working.
    $file = getenv('PARVIS_WP_PASSWORDS') . "/$login";
    $password = is_file($file) ? trim(file_get_contents($file)) : '';
    if ($password === '' || !WP_Application_Passwords::get_user_application_passwords($user->ID)) {
        WP_Application_Passwords::delete_all_application_passwords($user->ID);
        [$password] = WP_Application_Passwords::create_new_application_password($user->ID, ['name' => 'parvis-local']);
        file_put_contents($file, $password);
        chmod($file, 0600);
    }
    return ['id' => $user->ID, 'user' => $login, 'application_password' => WP_Application_Passwords::chunk_password($password)];
}
$editor = account('brand', 'editor');
$subscriber = account('reader', 'subscriber');
echo json_encode(['url' => get_option('siteurl') ? home_url() : '', 'version' => get_bloginfo('version'),
                  'user' => $editor['user'], 'user_id' => $editor['id'], 'application_password' => $editor['application_password'],
                  'reader' => $subscriber['user'], 'reader_password' => $subscriber['application_password'],
                  'post_types' => array_values(get_post_types(['show_in_rest' => true]))]);
