/**
 * A Vite plugin: `story.ts?printed` is the text of a story without its types and with imports from the package, so that the
 * page can print it, and run it again after it was edited. Comments and layout stay.
 */
import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import ts from "typescript";
import type { Plugin } from "vite";

const QUERY = "?printed";

export function printedStories(root: string): Plugin {
  return {
    name: "setway:printed-stories",
    enforce: "pre",
    async load(id) {
      if (!id.endsWith(QUERY)) return null;
      const file = id.slice(0, -QUERY.length);
      this.addWatchFile(file);
      const text = printed(await readFile(file, "utf8"), posix.relative(root.replaceAll("\\", "/"), file));
      return { code: `export default ${JSON.stringify(text)};`, map: null, moduleType: "js" };
    },
  };
}

/** Files whose exports the package's entry has too. */
const EXPORTED =
  /^src\/(scenario\/story|devices\/.*|cpu\/.*|engine\/(engine|errors|record|operations)|hypervisor\/index)\.ts$/;

/** A story's text without types. `file` is its path in the repository. */
export function printed(source: string, file: string): string {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS);
  const cuts: { readonly from: number; readonly to: number }[] = [];
  const cut = (from: number, to: number) => cuts.push({ from, to });
  const fromColon = (type: ts.Node) => cut(source.lastIndexOf(":", type.getStart(tree)), type.getEnd());
  const statement = (node: ts.Node) => {
    const end = source[node.getEnd()] === "\n" ? node.getEnd() + 1 : node.getEnd();
    cut(node.getStart(tree), end);
  };
  const imports = new Map<string, string[]>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      statement(node);
      for (const name of valuesOf(node)) {
        const path = posix.join(posix.dirname(file), (node.moduleSpecifier as ts.StringLiteral).text);
        const module = EXPORTED.test(path) ? "setway" : `setway/${path}`;
        imports.set(module, [...(imports.get(module) ?? []), name]);
      }
      return;
    }
    if (ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node)) {
      statement(node);
      return;
    }
    if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node)) {
      cut(node.expression.getEnd(), node.type.getEnd());
      visit(node.expression);
      return;
    }
    if (ts.isNonNullExpression(node)) cut(node.getEnd() - 1, node.getEnd());
    const typed = node as ts.Node & {
      readonly type?: ts.TypeNode;
      readonly typeArguments?: ts.NodeArray<ts.TypeNode>;
      readonly typeParameters?: ts.NodeArray<ts.Node>;
    };
    if (typed.type !== undefined) fromColon(typed.type);
    for (const list of [typed.typeArguments, typed.typeParameters]) {
      if (list !== undefined) cut(list.pos - 1, list.end + 1);
    }
    if ((ts.isParameter(node) || ts.isPropertyDeclaration(node)) && node.questionToken !== undefined) {
      cut(node.questionToken.getStart(tree), node.questionToken.getEnd());
    }
    ts.forEachChild(node, (child) => {
      if (!ts.isTypeNode(child) || ts.isExpressionWithTypeArguments(child)) visit(child);
    });
  };
  visit(tree);
  const body = removed(source, cuts);
  const head = [...imports].map(([module, names]) => `import { ${names.sort().join(", ")} } from "${module}";`);
  // The comment that says what the file is stays first.
  const [, comment = "", rest = body] = /^(\/\*\*[\s\S]*?\*\/\n)([\s\S]*)$/.exec(body) ?? [];
  return `${comment}${head.join("\n")}\n\n${rest.replace(/^\n+/, "").replace(/\n{3,}/g, "\n\n")}`;
}

function valuesOf({ importClause }: ts.ImportDeclaration): string[] {
  if (importClause === undefined || importClause.isTypeOnly) return [];
  const { namedBindings } = importClause;
  if (namedBindings === undefined || !ts.isNamedImports(namedBindings)) return [];
  return namedBindings.elements.filter(({ isTypeOnly }) => !isTypeOnly).map((element) => element.getText());
}

function removed(source: string, cuts: readonly { readonly from: number; readonly to: number }[]): string {
  let text = "";
  let at = 0;
  for (const { from, to } of [...cuts].sort((a, b) => a.from - b.from)) {
    if (from < at) continue;
    text += source.slice(at, from);
    at = to;
  }
  return text + source.slice(at);
}
