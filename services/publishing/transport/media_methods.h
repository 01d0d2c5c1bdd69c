// The bodies of the media's methods, without gRPC.
#pragma once

#include <google/protobuf/empty.pb.h>

#include "parvis/publishing/v1/media_service.pb.h"
#include "platform/base/call.h"
#include "publishing/domain/media.h"

namespace parvis::publishing {

Status CreateMediaMethod(const Call& call, const MediaContext& media, const v1::CreateMediaRequest& request, v1::MediaItem& response);
Status UploadMediaChunkMethod(const Call& call, const MediaContext& media, const v1::UploadMediaChunkRequest& request,
                              v1::MediaItem& response);
Status FinishMediaMethod(const Call& call, const MediaContext& media, const v1::FinishMediaRequest& request, v1::MediaItem& response);
Status GetMediaMethod(const Call& call, const MediaContext& media, const v1::GetMediaRequest& request, v1::MediaItem& response);
Status ListMediaMethod(const Call& call, const MediaContext& media, const v1::ListMediaRequest& request, v1::ListMediaResponse& response);
Status UpdateMediaMethod(const Call& call, const MediaContext& media, const v1::UpdateMediaRequest& request, v1::MediaItem& response);
Status DeleteMediaMethod(const Call& call, const MediaContext& media, const v1::DeleteMediaRequest& request,
                         google::protobuf::Empty& response);
Status CheckMediaMethod(const Call& call, const MediaContext& media, const v1::CheckMediaRequest& request,
                        v1::CheckMediaResponse& response);
Status ConvertMediaMethod(const Call& call, const MediaContext& media, const v1::ConvertMediaRequest& request, v1::MediaItem& response);

}  // namespace parvis::publishing
