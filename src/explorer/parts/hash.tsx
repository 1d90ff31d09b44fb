import { shortHex } from '../format.ts'

/** A key, hash or address, shortened; whole on hover and for whoever copies it from the link's page. */
export function Hash({ hex, href }: { hex: string; href?: string }) {
  const text = <span title={hex}>{shortHex(hex)}</span>
  return href === undefined ? (
    <span class="mono">{text}</span>
  ) : (
    <a class="mono" href={href}>
      {text}
    </a>
  )
}
