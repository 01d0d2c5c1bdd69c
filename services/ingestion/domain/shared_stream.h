// Use case: hearing many channels by one stream of their network: where the network gives an app one connection, or sends
// everything to everybody. One life of it is as that of a channel's own stream (stream.h); besides, channels come and go
// while it is read, and one that cannot be heard any more ends nothing for the others.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ingestion/domain/shared_stream_store.h"
#include "ingestion/domain/stream.h"

namespace parvis::ingestion {

// What a shared stream brought since the last look.
struct SharedPage {
  struct Told {
    std::string channel_id;
    Happening what;
  };
  std::vector<Told> told;
  std::vector<RawPart> unparsed;
  std::map<std::string, Status> lost;  // channels that are not heard any more, and why: something was missed
  std::string cursor;                  // as StreamPage::cursor
  bool gap = false;                    // something was, or may have been, missed by all
};

// Port: an open stream for many channels. One thread at a time; closed by its end of life.
class NetworkStream {
 public:
  virtual ~NetworkStream() = default;
  // Hears these, too, from the return on. Those that cannot be heard, and why; an error concerns all of them and leaves
  // the stream as it is.
  virtual StatusOr<std::map<std::string, Status>> Add(const Call& call, const std::vector<SharedMember>& members) = 0;
  // Hears these no more. What cannot be tidied up at the network now is when the stream is opened next.
  virtual void Remove(const Call& call, const std::vector<std::string>& channel_ids) = 0;
  // As ChannelStream::Next.
  virtual StatusOr<SharedPage> Next(const Call& call) = 0;
};

struct NetworkOpening {
  std::unique_ptr<NetworkStream> stream;
  std::map<std::string, Status> refused;  // channels that cannot be heard, and why
};

// Port: opens shared streams. Thread-safe; blocks until the call's deadline at most.
class NetworkStreams {
 public:
  virtual ~NetworkStreams() = default;
  // How many channels the network's stream can hear.
  virtual int ChannelsMax(const std::string& network) const = 0;
  // For `members`, from `cursor` on; "": from now on. Errors as ChannelStreams::Open, but none of them speaks of a channel.
  virtual StatusOr<NetworkOpening> Open(const Call& call, const std::string& network,
                                        const std::vector<SharedMember>& members, const std::string& cursor) = 0;
  // Tells accounts that the channel's credentials are no good. Best effort.
  virtual void ReportBroken(const Call& call, const std::string& network, const SharedMember& member,
                            const Status& why) = 0;
};

struct SharedOptions {
  StreamOptions stream;
  absl::Duration turnout_every = absl::Seconds(2);  // how often channels that come and go are looked for
  int join_max = 100;                               // channels that are taken in together
  int channels_max = 10'000;                        // of one stream; the network may allow fewer
};

struct SharedWatchers {  // may be empty; for logs and counters; called from the readers' threads
  std::function<void(const std::string& network)> opened;
  std::function<void(const std::string& network, int activities, bool gap)> brought;
  // How many channels are heard, of how many that could be, and how many of those there is no room for.
  std::function<void(const std::string& network, int heard, int64_t wanted, int64_t left_out)> counted;
  std::function<void(const std::string& network, const Binding&, const Status& why)> lost;  // a channel
  std::function<void(const std::string& network, const Status& why)> not_joined;            // all that were to be taken in
  std::function<void(const std::string& network, const StreamLife&)> ended;                 // once a life
  std::function<void(const Status&)> store_failed;
};

class SharedReader {
 public:
  SharedReader(SharedStreamStore& store, NetworkStreams& streams, ActivitySink& sink, const Clock& clock,
               const SharedOptions& options, std::function<double()> uniform, const SharedWatchers& watchers)
      : store_(store),
        streams_(streams),
        sink_(sink),
        clock_(clock),
        options_(options),
        uniform_(std::move(uniform)),
        watchers_(watchers) {}

  // Reads until the stream ends, nobody is to be heard by it, or the lease is lost or asked back, and releases the claim.
  // Blocks. Thread-safe: any number of streams at once.
  StreamLife Read(const ClaimedShared& claimed, const StreamLease& lease);

 private:
  struct Reading;
  Status Follow(Reading& reading);
  Status Open(Reading& reading);
  Status LookForChannels(Reading& reading);
  void TakeIn(Reading& reading, const std::vector<SharedMember>& joining);
  void Joined(Reading& reading, const SharedMember& member);
  void Left(Reading& reading, const SharedMember& member, const Status& why, bool missed);
  Status HandOver(Reading& reading, SharedPage page);
  Status Save(Reading& reading);
  void Finish(const Reading& reading, StreamLife& life);
  void Count(const Reading& reading) const;
  int ChannelsMax(const std::string& network) const;
  Call CallFor(const std::string& workspace_id, absl::Duration limit) const;

  SharedStreamStore& store_;
  NetworkStreams& streams_;
  ActivitySink& sink_;
  const Clock& clock_;
  const SharedOptions options_;
  const std::function<double()> uniform_;
  const SharedWatchers& watchers_;
};

}  // namespace parvis::ingestion
