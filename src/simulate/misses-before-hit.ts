/** How many trials of the given chance, above 0 and below 1, miss before the first that hits: whole runs of them at one draw. */
export function missesBeforeHit(chance: number, random: () => number): number {
  return Math.floor(Math.log1p(-random()) / Math.log1p(-chance))
}
