/** What Vite adds to modules of the page. */
/// <reference types="vite/client" />
declare module "*?printed" {
  const text: string;
  export default text;
}
