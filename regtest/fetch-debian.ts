import { access, chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Watch } from './progress.ts'
import { RegtestError } from './regtest-error.ts'
import { runCommand } from './run-command.ts'

/** Debian has no package of Bitcoin Core in its releases; this derivative is in testing. Regtest only: see below. */
const PACKAGE = 'bitcoin-knots'
const SUITE = 'testing'
/** Where Debian's package debian-archive-keyring puts the keys that sign every suite. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const HTTP_TIMEOUT_S = 15
/** Node's architecture → Debian's multiarch triplet and its dynamic loader. */
const LOADERS: Readonly<Record<string, readonly [triplet: string, loader: string]>> = {
  x64: ['x86_64-linux-gnu', 'ld-linux-x86-64.so.2'],
  arm64: ['aarch64-linux-gnu', 'ld-linux-aarch64.so.1'],
}

/**
 * Puts `bitcoind` and every library it needs, glibc included, into the directory, out of Debian testing, from the
 * mirror that this machine's own apt uses. apt verifies the signatures; nothing of the system is read into the
 * result or changed, and root isn't needed. `bitcoind` is a script that starts the program through the directory's own loader.
 *
 * This node schedules a fork of its own on mainnet. It serves regtest; never give it to anything that holds money.
 *
 * Throws RegtestError `bitcoind_unavailable` where this is no Debian, else `bitcoind_download_failed`.
 */
export async function fetchDebian(directory: string, architecture: string, watch: Watch): Promise<void> {
  const [triplet, loader] = LOADERS[architecture] ?? []
  if (triplet === undefined || loader === undefined) {
    throw new RegtestError('bitcoind_unavailable', `no Debian loader known for ${architecture}`)
  }
  const mirror = await findMirror(watch.signal)
  const apt = path.join(directory, 'apt')
  const config = await writeAptConfig(apt, mirror)

  watch.onProgress?.({ step: 'download', detail: `package index of Debian ${SUITE}` })
  await runCommand('apt-get', ['-c', config, '--quiet', 'update'], watch.signal)
  watch.onProgress?.({ step: 'download', detail: `${PACKAGE} and its libraries` })
  await runCommand(
    'apt-get',
    ['-c', config, '--quiet', '--yes', '--download-only', 'install', PACKAGE],
    watch.signal,
  )

  const archives = path.join(apt, 'cache/archives')
  const packages = (await readdir(archives)).filter((name) => name.endsWith('.deb'))
  for (const [index, name] of packages.entries()) {
    watch.onProgress?.({ step: 'unpack', detail: name, fraction: index / packages.length })
    await runCommand('dpkg-deb', ['--extract', path.join(archives, name), directory], watch.signal)
  }
  await rm(apt, { recursive: true })

  const launcher = path.join(directory, 'bitcoind')
  await writeFile(launcher, launcherScript(`usr/lib/${triplet}`, loader))
  await chmod(launcher, 0o755)
}

/** The archive that this machine's release comes from, out of apt's own configuration. */
async function findMirror(signal?: AbortSignal): Promise<string> {
  const osRelease = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const codename = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(osRelease)?.[1]
  if (!/^ID="?debian"?$/m.test(osRelease) || codename === undefined) {
    throw new RegtestError('bitcoind_unavailable', 'this machine is no Debian release')
  }
  const targets = await runCommand(
    'apt-get',
    ['indextargets', '--format', '$(RELEASE) $(REPO_URI)', 'Created-By: Packages', 'Component: main'],
    signal,
  )
  const line = targets.split('\n').find((target) => target.startsWith(`${codename} `))
  if (line === undefined) throw new RegtestError('bitcoind_unavailable', `apt knows no source of ${codename}`)
  return line.slice(codename.length + 1)
}

/**
 * An apt that lives in `apt` and touches nothing else. An empty dpkg status makes it resolve the whole closure,
 * libc included. Hooks of the machine are cleared: some delete the system's own caches after an update.
 */
async function writeAptConfig(apt: string, mirror: string): Promise<string> {
  await mkdir(path.join(apt, 'state/lists/partial'), { recursive: true })
  await mkdir(path.join(apt, 'cache/archives/partial'), { recursive: true })
  const signedBy = await access(KEYRING).then(
    () => `[signed-by=${KEYRING}] `,
    () => '', // apt then takes the keys that it trusts for everything
  )
  await writeFile(path.join(apt, 'status'), '')
  await writeFile(path.join(apt, 'sources.list'), `deb ${signedBy}${mirror} ${SUITE} main\n`)
  const config = path.join(apt, 'apt.conf')
  await writeFile(
    config,
    `Dir::State "${apt}/state";
Dir::State::status "${apt}/status";
Dir::Cache "${apt}/cache";
Dir::Etc::sourcelist "${apt}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "";
APT::Install-Recommends "false";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Retries "2";
Acquire::http::Timeout "${HTTP_TIMEOUT_S}";
Acquire::https::Timeout "${HTTP_TIMEOUT_S}";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
`,
  )
  return config
}

/** Found relative to itself, since the folder is renamed when it is whole. */
function launcherScript(libraries: string, loader: string): string {
  return `#!/bin/sh
# For regtest only.
root=$(dirname "$(readlink -f "$0")")
exec "$root/${libraries}/${loader}" --library-path "$root/${libraries}" "$root/usr/bin/bitcoind" "$@"
`
}
