import { InvalidArgumentError } from 'commander'

/** Throws commander's InvalidArgumentError, which names the option. */
export function webAddress(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text
  throw new InvalidArgumentError('expected a URL, such as https://assay.example')
}
