/** Vite gives a file of the page's its address. */
declare module '*?url' {
  const url: string;
  export default url;
}

/** A style sheet comes with the module that imports it. */
declare module '*.css';

/** Of the recogniser's model and of what runs it; vite.config.ts measures them. */
declare const RECOGNISER_BYTES: number;

/** Of the reader of pictures: of its model with the dictionary, and of what runs it. */
declare const READER_BYTES: { readonly model: number; readonly runtime: number };
