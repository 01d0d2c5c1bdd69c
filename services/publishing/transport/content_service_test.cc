// What reaches who fetches a medium: on a real server, without a key.
#include "publishing/transport/content_service.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "parvis/publishing/v1/media_service.grpc.pb.h"
#include "platform/rpc/client.h"
#include "publishing/domain/testing/media_fixture.h"

namespace parvis::publishing {
namespace {

class NobodyKnown : public rpc::Authenticator {
 public:
  StatusOr<Principal> Authenticate(const std::string&) override { return MakeError(Code::kUnauthenticated, "TOKEN_UNKNOWN", "nobody"); }
};

class ContentServiceTest : public MediaFixture {
 protected:
  ContentServiceTest() : MediaFixture(MediaLimits()) {
    const Status started = server_.Start();
    EXPECT_TRUE(started.ok()) << started;
    rpc::ClientConfig config;
    config.address = server_.address();
    client_ = std::make_unique<rpc::Client>("gateway", config, clock_, metrics_);
    stub_ = v1::MediaContentService::NewStub(client_->channel());
  }
  platform::v1::FetchContentRequest Asked(const MediaItem& item) {
    const std::string address = addresses_.Of({item.workspace_id, item.id});
    const size_t signature = address.find("&signature=");
    platform::v1::FetchContentRequest request;
    request.set_name(MediaName(item.workspace_id, item.id));
    request.set_expires(absl::ToUnixSeconds(clock_.WallNow() + absl::Hours(1)));
    request.set_signature(address.substr(signature + 11));
    return request;
  }
  grpc::Status Fetch(const platform::v1::FetchContentRequest& request, const std::string& key = "") {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    if (!key.empty()) context.AddMetadata("authorization", "Bearer " + key);
    return stub_->FetchContent(&context, request, &response_);
  }

  obs::Metrics metrics_;
  const MediaAddresses addresses_{"https://media.brand.example", {Secret("key")}, absl::Hours(1), clock_};
  const MediaObserver observer_;
  const FetchContext fetching_{media_, blobs_, addresses_, observer_};
  NobodyKnown nobody_;
  rpc::Runtime runtime_{"publishing", {}, nobody_, clock_, metrics_};
  const std::unique_ptr<grpc::Service> service_ = MakeContentService(runtime_, fetching_);
  rpc::Server server_{{}, runtime_, {service_.get()}};
  std::unique_ptr<rpc::Client> client_;
  std::unique_ptr<v1::MediaContentService::Stub> stub_;
  platform::v1::FetchContentResponse response_;
};

TEST_F(ContentServiceTest, TheAddressIsEnough) {
  const std::string picture = "image/png 50x40\n0123456789";
  const MediaItem item = Ready(picture);
  auto request = Asked(item);
  grpc::Status status = Fetch(request);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response_.type(), "image/png");
  EXPECT_EQ(response_.size_bytes(), static_cast<int64_t>(picture.size()));
  EXPECT_EQ(response_.sha256(), item.sha256);
  EXPECT_EQ(response_.content(), "");
  request.set_offset(16);
  request.set_length(4);
  status = Fetch(request, "a key that nobody has");
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response_.content(), "0123");
}

TEST_F(ContentServiceTest, WithoutOneThereIsNothing) {
  const MediaItem item = Ready("image/png 50x40\n");
  auto forged = Asked(item);
  forged.set_signature(std::string(43, 'A'));
  EXPECT_EQ(Fetch(forged).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Fetch({}).error_code(), grpc::StatusCode::NOT_FOUND);
  auto old = Asked(item);
  clock_.Advance(absl::Hours(2));
  EXPECT_EQ(Fetch(old).error_code(), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace parvis::publishing
