import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** A part whose code comes when it is looked at: decoding what the log holds takes more of it than all else. */
export function lazily<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  return function Lazy(props: Props) {
    const [loaded, setLoaded] = useState<{ part: ComponentType<Props> } | null>(null)
    useEffect(() => {
      void load().then((part) => setLoaded({ part }))
    }, [])
    if (loaded === null) return <p class="soft">Loading …</p>
    const { part: Loaded } = loaded
    return <Loaded {...props} />
  }
}
