// Starts the network: a PDS, the AppView, a PLC directory, moderation. Prints one line of JSON when all of it answers.
// network.py puts this file beside the packages that it imports.
import { TestNetwork } from '@atproto/dev-env'

const port = (name) => Number(process.env[`PARVIS_${name}_PORT`])
const network = await TestNetwork.create({
  dbPostgresSchema: 'parvis',
  plc: { port: port('PLC') },
  pds: { port: port('PDS') },
  bsky: { port: port('APPVIEW') },
})
process.stdout.write(`PARVIS ${JSON.stringify({ pds: network.pds.url, appview: network.bsky.url })}\n`)
process.on('SIGTERM', () => process.exit(0))   // nothing of it outlives its start
