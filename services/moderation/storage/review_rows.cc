#include "moderation/storage/review_rows.h"

#include "moderation/storage/reasons_json.h"

namespace parvis::moderation {
namespace {

// One column of many rows, for unnest.
template <class Row, class Get>
auto Column(const std::vector<Row>& rows, Get get) {
  std::vector<std::decay_t<decltype(get(rows.front()))>> out;
  out.reserve(rows.size());
  for (const Row& row : rows) out.push_back(get(row));
  return db::Array(out);
}

}  // namespace

Review ReadReview(const db::Rows& rows, int row) {
  Review r;
  int c = 0;
  const auto text = [&] { return rows.Text(row, c++); };
  const auto number = [&] { return rows.Int(row, c++); };
  r.id = text(), r.workspace_id = text(), r.activity_id = text(), r.channel_id = text(), r.network = text();
  r.remote_id = text(), r.thread = text(), r.post_remote_id = text();
  r.author.remote_id = text(), r.author.name = text(), r.author.handle = text();
  r.text = text(), r.permalink = text();
  r.verdict.language = text();
  r.verdict.intent = static_cast<Intent>(number());
  r.verdict.action = static_cast<Action>(number());
  r.verdict.reasons = ReasonsFromJson(rows.View(row, c++));
  r.verdict.policy_id = text();
  r.verdict.policy_version = number();
  r.occurred_time = rows.Time(row, c++);
  r.create_time = rows.Time(row, c++);
  r.state = static_cast<ReviewState>(number());
  r.claim_member_id = text();
  r.claim_token = number();
  r.claim_expire_time = rows.MaybeTime(row, c++);
  r.decision = static_cast<Action>(number());
  r.decide_member_id = text(), r.decide_request_id = text(), r.note = text();
  r.end_time = rows.MaybeTime(row, c++);
  r.hidden = rows.Bool(row, c++);
  return r;
}

Decision ReadDecision(const db::Rows& rows, int row) {
  Decision d;
  d.id = rows.Text(row, 0), d.workspace_id = rows.Text(row, 1), d.activity_id = rows.Text(row, 2);
  d.channel_id = rows.Text(row, 3), d.remote_id = rows.Text(row, 4);
  d.source = static_cast<DecisionSource>(rows.Int(row, 5));
  d.action = static_cast<Action>(rows.Int(row, 6));
  d.reasons = ReasonsFromJson(rows.View(row, 7));
  d.policy_id = rows.Text(row, 8), d.policy_version = rows.Int(row, 9);
  d.member_id = rows.Text(row, 10), d.note = rows.Text(row, 11), d.command_id = rows.Text(row, 12);
  d.create_time = rows.Time(row, 13);
  return d;
}

Status InsertReviews(db::Tx& tx, const std::vector<Review>& reviews) {
  if (reviews.empty()) return absl::OkStatus();
  using R = const Review&;
  const auto kept = [](const std::string& s) { return WithoutNul(s); };
  const std::vector<db::Param> params = {
      Column(reviews, [](R r) { return r.workspace_id; }),
      Column(reviews, [](R r) { return r.id; }),
      Column(reviews, [](R r) { return r.activity_id; }),
      Column(reviews, [](R r) { return r.channel_id; }),
      Column(reviews, [](R r) { return r.network; }),
      Column(reviews, [&](R r) { return kept(r.remote_id); }),
      Column(reviews, [&](R r) { return kept(r.thread); }),
      Column(reviews, [&](R r) { return kept(r.post_remote_id); }),
      Column(reviews, [&](R r) { return kept(r.author.remote_id); }),
      Column(reviews, [&](R r) { return kept(r.author.name); }),
      Column(reviews, [&](R r) { return kept(r.author.handle); }),
      Column(reviews, [&](R r) { return kept(r.text); }),
      Column(reviews, [&](R r) { return kept(r.permalink); }),
      Column(reviews, [](R r) { return r.verdict.language; }),
      Column(reviews, [](R r) { return static_cast<int64_t>(r.verdict.intent); }),
      Column(reviews, [](R r) { return static_cast<int64_t>(r.verdict.action); }),
      Column(reviews, [](R r) { return static_cast<int64_t>(r.verdict.action == Action::kEscalate ? 0 : 1); }),
      Column(reviews, [](R r) { return ReasonsToJson(r.verdict.reasons); }),
      Column(reviews, [](R r) { return r.verdict.policy_id; }),
      Column(reviews, [](R r) { return r.verdict.policy_version; }),
      Column(reviews, [](R r) { return r.occurred_time; }),
      Column(reviews, [](R r) { return r.create_time; }),
      Column(reviews, [](R r) { return static_cast<int64_t>(r.state); }),
      Column(reviews, [](R r) { return r.end_time.value_or(absl::InfinitePast()); }),
  };
  return tx
      .Query(
          "INSERT INTO reviews (workspace_id, id, activity_id, channel_id, network, remote_id, thread, post_remote_id, "
          "author_remote_id, author_name, author_handle, content, permalink, language, intent, action, rank, reasons, "
          "policy_id, policy_version, occurred_time, create_time, state, end_time) "
          "SELECT w, i, a, ch, n, r, t, p, ar, an, ah, c, pl, l, it, ac, rk, re::jsonb, pi, pv, oc, cr, st, nullif(et, "
          "'-infinity') "
          "FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], "
          "$9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::smallint[], "
          "$16::smallint[], "
          "$17::smallint[], $18::text[], $19::text[], $20::bigint[], $21::timestamptz[], $22::timestamptz[], "
          "$23::smallint[], $24::timestamptz[]) "
          "AS b(w, i, a, ch, n, r, t, p, ar, an, ah, c, pl, l, it, ac, rk, re, pi, pv, oc, cr, st, et) "
          "ON CONFLICT (workspace_id, id) DO NOTHING",
          params)
      .status();
}

Status InsertDecisions(db::Tx& tx, const std::vector<Decision>& decisions) {
  if (decisions.empty()) return absl::OkStatus();
  using D = const Decision&;
  const std::vector<db::Param> params = {
      Column(decisions, [](D d) { return d.workspace_id; }),
      Column(decisions, [](D d) { return d.id; }),
      Column(decisions, [](D d) { return d.activity_id; }),
      Column(decisions, [](D d) { return d.channel_id; }),
      Column(decisions, [](D d) { return WithoutNul(d.remote_id); }),
      Column(decisions, [](D d) { return static_cast<int64_t>(d.source); }),
      Column(decisions, [](D d) { return static_cast<int64_t>(d.action); }),
      Column(decisions, [](D d) { return ReasonsToJson(d.reasons); }),
      Column(decisions, [](D d) { return d.policy_id; }),
      Column(decisions, [](D d) { return d.policy_version; }),
      Column(decisions, [](D d) { return d.member_id; }),
      Column(decisions, [](D d) { return d.note; }),
      Column(decisions, [](D d) { return d.command_id; }),
      Column(decisions, [](D d) { return d.create_time; }),
  };
  return tx
      .Query(
          "INSERT INTO decisions (workspace_id, id, activity_id, channel_id, remote_id, source, action, reasons, "
          "policy_id, "
          "policy_version, member_id, note, command_id, create_time) "
          "SELECT w, i, a, ch, r, s, ac, re::jsonb, pi, pv, m, n, co, cr "
          "FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[], $7::smallint[], "
          "$8::text[], "
          "$9::text[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::timestamptz[]) "
          "AS b(w, i, a, ch, r, s, ac, re, pi, pv, m, n, co, cr) ON CONFLICT (workspace_id, id) DO NOTHING",
          params)
      .status();
}

}  // namespace parvis::moderation
