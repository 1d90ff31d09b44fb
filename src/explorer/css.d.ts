/** Vite turns such imports into style sheets. */
declare module '*.css'
