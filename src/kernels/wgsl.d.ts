/// <reference types="vite/types/importMeta.d.ts" />

declare module '*.wgsl?raw' {
  const source: string;
  export default source;
}
