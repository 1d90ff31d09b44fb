/** Both ends: enough to tell two apart by eye. */
const HEAD = 10
const TAIL = 6

/** A key, hash or address, shortened by the style alone: whole on hover and for whoever copies it. */
export function Hash({ hex, href }: { hex: string; href?: string }) {
  const text = (
    <span class="short" title={hex}>
      {hex.slice(0, HEAD)}
      <span>{hex.slice(HEAD, -TAIL)}</span>
      {hex.slice(-TAIL)}
    </span>
  )
  return href === undefined ? (
    <span class="mono">{text}</span>
  ) : (
    <a class="mono" href={href}>
      {text}
    </a>
  )
}
