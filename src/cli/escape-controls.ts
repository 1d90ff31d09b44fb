/** What others wrote must not steer the terminal: control characters but the newline and the tab as JSON escapes them. */
export function escapeControls(text: string): string {
  return text.replace(
    /[^\P{Cc}\n\t]/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
