#include "publishing/domain/posts.h"

namespace parvis::publishing {

StatusOr<PostPreview> PreviewPost(const Call& call, const PostContext& context, const Post& post) {
  PARVIS_ASSIGN_OR_RETURN(PostCheck check, CheckPost(call, context, post));
  PostPreview out;
  for (size_t i = 0; i < check.lengths.size(); ++i) {   // more variants than that are a violation of the post
    VariantPreview& shown = out.variants.emplace_back();
    shown.channel_id = post.variants[i].channel_id;
    const std::optional<Channel>& channel = check.channels[i];
    if (!channel) continue;   // a violation already
    shown.channel_name = channel->display_name;
    shown.network = channel->network;
    shown.preview = context.rules.Show(channel->network, check.contents[i]);
    shown.length = context.rules.TextLength(channel->network, shown.preview.text);   // with all that was added to it
    for (size_t part = 0; part < check.contents[i].thread.size(); ++part) {
      Preview preview = context.rules.Show(channel->network, PartOf(check.contents[i], part));
      const NetworkRules::Length length = context.rules.TextLength(channel->network, preview.text);
      shown.thread.push_back({std::move(preview), length});
    }
  }
  for (Violation& violation : check.violations) {
    std::vector<Violation>* list = &out.violations;
    for (size_t i = 0; i < out.variants.size(); ++i) {
      if (violation.field.starts_with("post.variants[" + std::to_string(i) + "]")) list = &out.variants[i].violations;
    }
    list->push_back(std::move(violation));
  }
  return out;
}

}  // namespace parvis::publishing
