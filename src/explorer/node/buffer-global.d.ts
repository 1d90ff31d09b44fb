/** As the build injects it: in the explorer the global Buffer is ours. */
declare const Buffer: typeof import('./buffer.ts').Buffer
declare type Buffer = import('./buffer.ts').Buffer
