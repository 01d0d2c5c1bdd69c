<?php
// For PHP's own server: files as they are, everything else to WordPress.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$file = realpath($_SERVER['DOCUMENT_ROOT'] . rawurldecode((string) $path));
if ($file !== false && str_starts_with($file, realpath($_SERVER['DOCUMENT_ROOT']) . '/')) {
    if (is_dir($file) && is_file("$file/index.php") && $path !== '/') {
        chdir($file);
        $_SERVER['SCRIPT_NAME'] = rtrim($path, '/') . '/index.php';
        require "$file/index.php";
        return true;
    }
    if (is_file($file)) {
        return false;
    }
}
$_SERVER['SCRIPT_NAME'] = '/index.php';
$_SERVER['SCRIPT_FILENAME'] = $_SERVER['DOCUMENT_ROOT'] . '/index.php';
chdir($_SERVER['DOCUMENT_ROOT']);
require $_SERVER['DOCUMENT_ROOT'] . '/index.php';
