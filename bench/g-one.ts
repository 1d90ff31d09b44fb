import { convNet, mlp } from './compute/bench-models.ts'
import { openBenchSite } from './compute/bench-site.ts'
import { inferShot } from './compute/infer-shot.ts'
import { load } from './compute/load.ts'
const which = process.argv[2]; const n = Number(process.argv[3]); const clients = Number(process.argv[4] ?? 128)
const m = which === 'conv' ? convNet() : mlp(); const rows = which === 'mlp32' ? 32 : 1
await using s = await openBenchSite([m], 1)
const shot = inferShot(s.site.url, m, rows)
await load(shot, 8, 50)
for (let i = 0; i < 3; i++) {
  const t = performance.now()
  const a = await load(shot, clients, n)
  const answered = performance.now() - t
  await s.drained()
  const all = performance.now() - t
  const l = a.latenciesMs.toSorted((x, y) => x - y)
  console.log(which, 'answered', (n / answered * 1000).toFixed(0), 'drained', (n / all * 1000).toFixed(0), 'p50', l[l.length >> 1]?.toFixed(2), 'p99', l[Math.floor(l.length * 0.99)]?.toFixed(2))
}
