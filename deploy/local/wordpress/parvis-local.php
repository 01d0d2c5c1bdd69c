<?php
// A must-use plugin of the local site only. All visitors come from 127.0.0.1 here, so WordPress would take any two of them
// for one who floods. Its check stays on for members and for whoever asks for it.
add_filter('comment_flood_filter', function ($flooding) {
    return is_user_logged_in() || isset($_SERVER['HTTP_X_PARVIS_FLOOD']) ? $flooding : false;
}, 20);
