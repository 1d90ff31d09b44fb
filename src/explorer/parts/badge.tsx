/** A state in words; the colour only repeats it. */
const TONES: Readonly<Record<string, 'good' | 'wait' | 'bad'>> = {
  final: 'good',
  matured: 'good',
  settled: 'good',
  pass: 'good',
  good: 'good',
  held: 'wait',
  suspended: 'bad',
  mined: 'wait',
  broadcast: 'wait',
  signed: 'wait',
  planned: 'wait',
  open: 'wait',
  stalled: 'bad',
  fail: 'bad',
  void: 'bad',
}

export function Badge({ state }: { state: string }) {
  return <span class={`badge ${TONES[state] ?? ''}`}>{state}</span>
}
