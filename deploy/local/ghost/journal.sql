-- The site's own journal, which judges in the end what we say about it: the database writes down what becomes of posts and
-- comments, whoever asked for it. `at` is the time that the site shows.
CREATE DATABASE IF NOT EXISTS parvis CHARACTER SET utf8mb4;
CREATE TABLE IF NOT EXISTS parvis.journal (
  seq BIGINT PRIMARY KEY AUTO_INCREMENT, kind VARCHAR(20) NOT NULL, remote_id VARCHAR(24) NOT NULL, post VARCHAR(24) NOT NULL,
  parent VARCHAR(24) NOT NULL, thread VARCHAR(24) NOT NULL, member VARCHAR(24) NOT NULL, text LONGTEXT NOT NULL, at DATETIME NOT NULL);
CREATE TRIGGER IF NOT EXISTS parvis_comment_added AFTER INSERT ON comments FOR EACH ROW
  INSERT INTO parvis.journal (kind, remote_id, post, parent, thread, member, text, at)
  VALUES ('comment', NEW.id, NEW.post_id, COALESCE(NEW.in_reply_to_id, NEW.parent_id, NEW.post_id), COALESCE(NEW.parent_id, NEW.id),
          COALESCE(NEW.member_id, ''), COALESCE(NEW.html, ''), NEW.created_at);
CREATE TRIGGER IF NOT EXISTS parvis_comment_changed AFTER UPDATE ON comments FOR EACH ROW
  INSERT INTO parvis.journal (kind, remote_id, post, parent, thread, member, text, at)
  SELECT CASE NEW.status WHEN 'hidden' THEN 'hide' WHEN 'deleted' THEN 'delete' ELSE 'unhide' END, NEW.id, NEW.post_id,
         COALESCE(NEW.in_reply_to_id, NEW.parent_id, NEW.post_id), COALESCE(NEW.parent_id, NEW.id), COALESCE(NEW.member_id, ''), '',
         NEW.updated_at
  FROM DUAL WHERE NEW.status <> OLD.status;
CREATE TRIGGER IF NOT EXISTS parvis_post_added AFTER INSERT ON posts FOR EACH ROW
  INSERT INTO parvis.journal (kind, remote_id, post, parent, thread, member, text, at)
  SELECT 'post', NEW.id, NEW.id, '', '', '', COALESCE(NEW.plaintext, ''), NEW.created_at
  FROM DUAL WHERE NEW.type = 'post' AND NEW.status IN ('published', 'sent');
CREATE TRIGGER IF NOT EXISTS parvis_post_changed AFTER UPDATE ON posts FOR EACH ROW
  INSERT INTO parvis.journal (kind, remote_id, post, parent, thread, member, text, at)
  SELECT 'post', NEW.id, NEW.id, '', '', '', COALESCE(NEW.plaintext, ''), NEW.updated_at
  FROM DUAL WHERE NEW.type = 'post' AND NEW.status IN ('published', 'sent') AND OLD.status NOT IN ('published', 'sent');
