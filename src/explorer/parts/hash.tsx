/** Of both ends as much as tells two apart by eye. */
const TAIL = 6

/** A key, hash or address, shortened by the style alone: whole on hover and for whoever copies it. */
export function Hash({ hex, href }: { hex: string; href?: string }) {
  const text = (
    <span class="short" title={hex}>
      <span>{hex.slice(0, -TAIL)}</span>
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
