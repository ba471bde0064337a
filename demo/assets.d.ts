/** Vite gives a file of the page's its address. */
declare module '*?url' {
  const url: string;
  export default url;
}
