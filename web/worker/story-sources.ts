/** The text of every story of the talk, by file, as the page prints it: its build removes types, which inference restores. */
export const storySources: Readonly<Record<string, string>> = import.meta.glob("../../src/scenario/talk/[0-9]*.ts", {
  query: "?printed",
  import: "default",
  eager: true,
});
