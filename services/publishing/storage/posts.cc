#include "publishing/storage/post_store_pg.h"

#include "publishing/domain/media_item.h"
#include "publishing/domain/thread.h"

namespace parvis::publishing {
namespace {

Post ReadPost(const db::Rows& rows, int row) {
  Post post;
  int c = 0;
  post.workspace_id = rows.Text(row, c++);
  post.id = rows.Text(row, c++);
  post.campaign_id = rows.Text(row, c++);
  post.display_name = rows.Text(row, c++);
  post.variants = DecodeVariants(rows.View(row, c++));
  post.state = static_cast<PostState>(rows.Int(row, c++));
  post.author = rows.Text(row, c++);
  post.submitted_by = rows.Text(row, c++);
  post.reviewed_by = rows.Text(row, c++);
  post.review_comment = rows.Text(row, c++);
  post.review_time = rows.Time(row, c++);
  post.due_time = rows.Time(row, c++);
  post.generation = static_cast<int>(rows.Int(row, c++));
  post.schedule_request_id = rows.Text(row, c++);
  post.version = rows.Int(row, c++);
  post.create_time = rows.Time(row, c++);
  post.update_time = rows.Time(row, c++);
  return post;
}

Status EtagMismatch() {
  return MakeError(Code::kAborted, "ETAG_MISMATCH", "it was changed since it was read; read it again");
}

Status AlreadySent(const char* message) { return MakeError(Code::kFailedPrecondition, "ALREADY_SENT", message); }

bool Waits(const Delivery& d) { return d.state == DeliveryState::kScheduled || d.state == DeliveryState::kClaimed; }

// The deliveries of the post's present generation, locked.
StatusOr<std::vector<Delivery>> LockDeliveries(db::Tx& tx, const Post& post) {
  static const std::string sql = std::string("SELECT ") + kDeliveryColumns +
                                 " FROM deliveries d WHERE d.workspace_id = $1 AND d.post_id = $2 AND d.generation = $3 "
                                 "ORDER BY d.id FOR UPDATE";
  PARVIS_ASSIGN_OR_RETURN(const db::Rows rows, tx.Query(sql.c_str(), {post.workspace_id, post.id, post.generation}));
  std::vector<Delivery> list;
  for (int i = 0; i < rows.size(); ++i) list.push_back(ReadDelivery(rows, i));
  return list;
}

// Of what is under way or has failed: what would continue it is not sent any more, nor is it itself sent again.
Status EndThreads(db::Tx& tx, const Post& post) {
  return tx
      .Exec("UPDATE deliveries SET content = (content - 'thread') || '{\"ended\": true}' WHERE workspace_id = $1 AND post_id = $2 "
            "AND generation = $3 AND state IN (3, 5, 6, 8)",
            {post.workspace_id, post.id, post.generation})
      .status();
}

bool GoesOn(const Delivery& d) {
  return (d.state == DeliveryState::kSent || d.state == DeliveryState::kUnknown) && !d.content.thread.empty();
}

// The step that a person's decision makes of a waiting delivery: whatever has claimed it loses it by the raised fence.
Change PersonsChange(const Delivery& delivery, const DeliveryEdit& edit, bool cancel) {
  Change change;
  change.after = delivery;
  change.from = {delivery.state};
  change.fence = delivery.fence;
  change.actor = edit.actor;
  change.after.fence += 1;
  change.after.check_time = absl::InfiniteFuture();
  if (cancel) {
    change.after.state = DeliveryState::kCancelled;
    change.detail = "cancelled";
  } else {
    change.after.state = DeliveryState::kScheduled;
    change.after.due_time = change.after.ready_time = edit.due_time;
    change.after.expire_time = edit.expire_time;
    change.detail = "moved to " + absl::FormatTime(absl::RFC3339_sec, edit.due_time, absl::UTCTimeZone());
  }
  return change;
}

// Which media the post names, beside it: what deleting a medium asks for.
Status SaveUses(db::Tx& tx, const Post& post) {
  return tx
      .Exec("WITH gone AS (DELETE FROM media_uses WHERE workspace_id = $1 AND post_id = $2 AND media_id <> ALL ($3::uuid[])) "
            "INSERT INTO media_uses SELECT $1, id, $2 FROM unnest($3::uuid[]) AS id ON CONFLICT DO NOTHING",
            {post.workspace_id, post.id, db::Array(MediaIdsOf(post.variants))})
      .status();
}

// A medium may go between the check and the storing of a post that names it.
Status WithoutMedia(Status status) {
  const Error error = ToError(status);
  const auto constraint = error.metadata.find("constraint");
  if (constraint == error.metadata.end() || constraint->second.rfind("media_uses", 0) != 0) return status;
  return MakeError(Code::kFailedPrecondition, "MEDIA_GONE", "a medium that the post names has been deleted meanwhile");
}

}  // namespace

StatusOr<Post> PgPostStore::InsertPost(const Call& call, const Post& p) {
  Post stored;
  PARVIS_RETURN_IF_ERROR(WithoutMedia(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(
        tx.Exec("INSERT INTO posts VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) "
                "ON CONFLICT DO NOTHING",
                {call.workspace_id, p.id, p.campaign_id, p.display_name, EncodeVariants(p.variants),
                 static_cast<int>(p.state), p.author, p.submitted_by, p.reviewed_by, p.review_comment, p.review_time,
                 p.due_time, p.generation, p.schedule_request_id, p.version, p.create_time, p.update_time})
            .status());
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows, tx.Query("SELECT * FROM posts WHERE workspace_id = $1 AND id = $2",
                                                          {call.workspace_id, p.id}));
    if (rows.empty()) return NotFound("posts/" + p.id);
    stored = ReadPost(rows, 0);
    return MediaIdsOf(stored.variants).empty() ? absl::OkStatus() : SaveUses(tx, stored);
  })));
  return stored;
}

StatusOr<Post> PgPostStore::GetPost(const Call& call, const std::string& id) {
  Post found;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows, tx.Query("SELECT * FROM posts WHERE workspace_id = $1 AND id = $2",
                                                          {call.workspace_id, id}));
    if (rows.empty()) return NotFound("workspaces/" + call.workspace_id + "/posts/" + id);
    found = ReadPost(rows, 0);
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<std::vector<Post>> PgPostStore::ListPosts(const Call& call, const PostFilter& filter, const Page& page) {
  std::vector<Post> list;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    list.clear();
    const absl::Time after = page.after ? page.after->first : absl::InfiniteFuture();
    const std::string after_id = page.after ? page.after->second : "ffffffff-ffff-ffff-ffff-ffffffffffff";
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows,
                            tx.Query("SELECT * FROM posts WHERE workspace_id = $1 AND (create_time, id) < ($2, $3) "
                                     "AND ($4 = '' OR campaign_id = nullif($4, '')::uuid) AND ($5 = 0 OR state = $5) "
                                     "ORDER BY create_time DESC, id DESC LIMIT $6",
                                     {call.workspace_id, after, after_id, filter.campaign_id,
                                      filter.state ? static_cast<int>(*filter.state) : 0, page.size}));
    for (int i = 0; i < rows.size(); ++i) list.push_back(ReadPost(rows, i));
    return absl::OkStatus();
  }));
  return list;
}

// May change post.state: what becomes of the post depends on what its deliveries had come to.
Status PgPostStore::EditDeliveries(db::Tx& tx, Post& post, const DeliveryEdit& edit) {
  using Kind = DeliveryEdit::Kind;
  if (edit.kind == Kind::kNone) return absl::OkStatus();
  if (edit.kind == Kind::kInsert) {
    return InsertDeliveries(tx, edit.inserts, post.update_time, edit.actor, encode_).status();
  }
  PARVIS_ASSIGN_OR_RETURN(std::vector<Delivery> deliveries, LockDeliveries(tx, post));
  std::vector<Change> changes;
  bool goes_on = false;
  for (Delivery& delivery : deliveries) {
    goes_on = goes_on || GoesOn(delivery);
    if (edit.kind == Kind::kResume) {
      if (CanResume(delivery)) changes.push_back(ResumePart(delivery, edit.due_time, edit.expire_time, edit.actor));
    } else if (Waits(delivery)) {
      changes.push_back(PersonsChange(delivery, edit, edit.kind != Kind::kMove));
      delivery = changes.back().after;
    }
  }
  if (edit.kind == Kind::kResume && changes.empty()) return NothingToResume();
  const bool all_wait = changes.size() == deliveries.size();
  if (edit.kind == Kind::kMove && !all_wait) return AlreadySent("one of its deliveries is no longer waiting");
  if (edit.kind == Kind::kWithdraw && !all_wait) return AlreadySent("one of its deliveries is no longer waiting");
  if (edit.kind == Kind::kCancel) {
    if (changes.empty() && !goes_on) return AlreadySent("none of its deliveries waits any more");
    PARVIS_RETURN_IF_ERROR(EndThreads(tx, post));
    post.state = StateFromDeliveries(deliveries);
  }
  return ApplyChanges(tx, changes, post.update_time, encode_).status();
}

StatusOr<Post> PgPostStore::SavePost(const Call& call, const Post& given, const DeliveryEdit& edit) {
  Post stored;
  PARVIS_RETURN_IF_ERROR(WithoutMedia(api_.Run(call, [&](db::Tx& tx) -> Status {
    Post p = given;
    // Withdrawn and moved deliveries are those of the stored generation; only an insert starts a new one.
    PARVIS_ASSIGN_OR_RETURN(const db::Rows locked,
                            tx.Query("SELECT 1 FROM posts WHERE workspace_id = $1 AND id = $2 AND version = $3 FOR UPDATE",
                                     {call.workspace_id, p.id, p.version}));
    if (locked.empty()) return EtagMismatch();
    PARVIS_RETURN_IF_ERROR(EditDeliveries(tx, p, edit));
    // By id alone: ending the last delivery has raised the version of the row that we hold locked.
    PARVIS_ASSIGN_OR_RETURN(
        const db::Rows rows,
        tx.Query("UPDATE posts SET display_name = $3, variants = $4, state = $5, submitted_by = $6, reviewed_by = $7, "
                 "review_comment = $8, review_time = $9, due_time = $10, generation = $11, schedule_request_id = $12, "
                 "update_time = $13, version = version + 1 WHERE workspace_id = $1 AND id = $2 RETURNING *",
                 {call.workspace_id, p.id, p.display_name, EncodeVariants(p.variants), static_cast<int>(p.state),
                  p.submitted_by, p.reviewed_by, p.review_comment, p.review_time, p.due_time, p.generation,
                  p.schedule_request_id, p.update_time}));
    if (rows.empty()) return EtagMismatch();
    stored = ReadPost(rows, 0);
    return SaveUses(tx, stored);
  })));
  if (edit.kind != DeliveryEdit::Kind::kNone && committed_) committed_();
  return stored;
}

Status PgPostStore::DeletePost(const Call& call, const Post& post, const std::string& actor) {
  const Status status = api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const db::Rows locked,
                            tx.Query("SELECT 1 FROM posts WHERE workspace_id = $1 AND id = $2 AND version = $3 FOR UPDATE",
                                     {call.workspace_id, post.id, post.version}));
    if (locked.empty()) return EtagMismatch();
    PARVIS_ASSIGN_OR_RETURN(const db::Rows sent,
                            tx.Query("SELECT 1 FROM deliveries WHERE workspace_id = $1 AND post_id = $2 "
                                     "AND (attempts > 0 OR state IN (3, 4, 6)) LIMIT 1",
                                     {call.workspace_id, post.id}));
    if (!sent.empty()) return AlreadySent("one of its deliveries was sent; the ledger keeps it");
    PARVIS_ASSIGN_OR_RETURN(const std::vector<Delivery> deliveries, LockDeliveries(tx, post));
    std::vector<Change> changes;
    DeliveryEdit edit;
    edit.actor = actor;
    for (const Delivery& delivery : deliveries) {
      if (Waits(delivery)) changes.push_back(PersonsChange(delivery, edit, true));
      else if (!IsFinal(delivery.state)) return AlreadySent("one of its deliveries was sent; the ledger keeps it");
    }
    PARVIS_RETURN_IF_ERROR(ApplyChanges(tx, changes, post.update_time, encode_).status());
    return tx.Exec("DELETE FROM posts WHERE workspace_id = $1 AND id = $2", {call.workspace_id, post.id}).status();
  });
  if (status.ok() && committed_) committed_();
  return status;
}

}  // namespace parvis::publishing
