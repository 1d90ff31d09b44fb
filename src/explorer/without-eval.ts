import { z } from 'zod'

// Generated code would need a hole in the content security policy. Before any schema is made: this is the first import of a page.
z.config({ jitless: true })
