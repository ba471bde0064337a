/** Vite gives a file of the page's its address. */
declare module '*?url' {
  const url: string;
  export default url;
}

/** Of the recogniser's model and of what runs it; vite.config.ts measures them. */
declare const RECOGNISER_BYTES: number;

/** A style that is loaded with what needs it. */
declare module '*.css';
