import { Command } from 'commander'
import { ownPackage } from '../own-package.ts'

type Add = (program: Command) => Promise<void>

/** Loaded when asked for: `proof verify` must not wait for the coordinator's code, nor need what that needs. */
const COMMANDS: Readonly<Record<string, Add>> = {
  demo: async (program) => (await import('./commands/demo.ts')).addDemo(program),
  init: async (program) => (await import('./commands/init.ts')).addInit(program),
  doctor: async (program) => (await import('./commands/doctor.ts')).addDoctor(program),
  up: async (program) => (await import('./commands/up.ts')).addUp(program),
  status: async (program) => (await import('./commands/status.ts')).addStatus(program),
  worker: async (program) => (await import('./commands/worker.ts')).addWorker(program),
  submit: async (program) => (await import('./commands/submit.ts')).addSubmit(program),
  subnet: async (program) => (await import('./commands/subnet.ts')).addSubnet(program),
  requester: async (program) => (await import('./commands/requester.ts')).addRequester(program),
  key: async (program) => (await import('./commands/key.ts')).addKey(program),
  auditor: async (program) => (await import('./commands/auditor.ts')).addAuditor(program),
  canary: async (program) => (await import('./commands/canary.ts')).addCanary(program),
  anchor: async (program) => (await import('./commands/anchor.ts')).addAnchor(program),
  proof: async (program) => (await import('./commands/proof.ts')).addProof(program),
  headers: async (program) => (await import('./commands/headers.ts')).addHeaders(program),
  audit: async (program) => (await import('./commands/audit.ts')).addAudit(program),
  log: async (program) => (await import('./commands/log.ts')).addLog(program),
  ledger: async (program) => (await import('./commands/ledger.ts')).addLedger(program),
  payout: async (program) => (await import('./commands/payout.ts')).addPayout(program),
  simulate: async (program) => (await import('./commands/simulate.ts')).addSimulate(program),
  backup: async (program) => (await import('./commands/backup.ts')).addBackup(program),
  restore: async (program) => (await import('./commands/backup.ts')).addRestore(program),
  completion: async (program) =>
    (await import('./commands/completion.ts')).addCompletion(program, () => openProgram(null)),
}

/** @param name the one command to load; all where it is none. @param writeErr takes what it says of wrong usage */
export async function openProgram(
  name: string | null,
  writeErr: (text: string) => unknown = (text) => process.stderr.write(text),
): Promise<Command> {
  const program = new Command('assay')
    .description('Pays machines for AI work that they can prove, and writes the proof into Bitcoin.')
    .version(ownPackage().version)
    .showHelpAfterError('--help says what it takes.')
    .configureOutput({ writeErr: (text) => void writeErr(text) })
    .exitOverride()
  const asked = name !== null && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  for (const add of asked === undefined ? Object.values(COMMANDS) : [asked]) await add(program)
  return program
}
