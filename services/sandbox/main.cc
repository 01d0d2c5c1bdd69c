// parvis-sandbox: the networks, simulated.
#include <optional>

#include "platform/app/process.h"
#include "platform/obs/log.h"
#include "sandbox/config.h"
#include "sandbox/domain/audience_runs.h"
#include "sandbox/domain/faults.h"
#include "sandbox/domain/limits.h"
#include "sandbox/journal/journal_file.h"
#include "sandbox/transport/sandbox_server.h"

int main(int argc, char** argv) {
  using namespace parvis;
  auto config = app::Load<sandbox::SandboxConfig>("sandbox", argc, argv);
  app::Process process("sandbox", config.process);

  std::optional<sandbox::JournalFile> file;
  sandbox::Journal::Sink sink;
  if (!config.journal_file.empty()) {
    auto opened = sandbox::JournalFile::Open(config.journal_file, config.journal_fsync);
    if (!opened.ok()) {
      obs::Err("journal not opened", {{"error", opened.status()}});
      return 1;
    }
    file.emplace(std::move(*opened));
    sink = [&file](std::string_view line) { return file->Append(line); };
  }

  RealClock clock;
  net::HttpClient client(config.client, clock, process.metrics());
  sandbox::Journal journal(config.journal_entries_max, std::move(sink));
  sandbox::World world(config.world, clock, journal);
  sandbox::Webhooks webhooks(config.webhooks, client, clock);
  world.Listen([&webhooks](const sandbox::Notice& notice) { webhooks.Notify(notice); });
  sandbox::Faults faults(config.faults_max);
  sandbox::Limits limits;
  sandbox::AudienceRuns audiences(config.audiences_max, world, clock, [&webhooks] { return webhooks.MayWrite(); });
  sandbox::SandboxServer server(config.http, process.metrics(), {world, faults, limits, clock}, journal, webhooks,
                                audiences, client);

  return process.RunUntilSignal({
      {.name = "http",
       .start =
           [&] {
             PARVIS_RETURN_IF_ERROR(server.Start());
             process.Announce("http", server.address());
             return absl::OkStatus();
           },
       .stop = [&](absl::Duration limit) { server.Stop(limit); }},
      {.name = "webhooks", .stop = [&](absl::Duration) { webhooks.Stop(); }},
      {.name = "audiences", .stop = [&](absl::Duration) { audiences.StopAll(); }},
  });
}
