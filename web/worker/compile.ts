/**
 * Runs a story that was typed into the page: its imports become names of the modules handed to it, its default export the
 * result. Nothing strips types here: what the page prints has none, and a syntax error says so.
 */
import { SetwayError } from "../../src/engine/errors.ts";
import { type AnyStory, isStory } from "../../src/scenario/story.ts";
import { MODULES } from "./modules.ts";

const IMPORT = /^[ \t]*import\s+(?:type\s+)?\{([^}]*)\}\s+from\s+["']([^"']+)["'];?/gm;
const EXPORT = /^[ \t]*export\s+default\s+/m;

/** The stories that a module's text exports. Throws usage errors, and what the text itself throws. */
export function compileStories(code: string): readonly AnyStory[] {
  if (!EXPORT.test(code)) {
    throw new SetwayError("usage", "no story", { expected: "export default defineStory({...})" });
  }
  const body = code
    .replace(IMPORT, (text, names: string, module: string) => {
      if (/^\s*import\s+type\b/.test(text)) return blank(text);
      if (!Object.hasOwn(MODULES, module)) {
        throw new SetwayError("usage", "no such module in the page", {
          found: module,
          expected: Object.keys(MODULES).join(", "),
        });
      }
      const wanted = names
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "" && !name.startsWith("type "))
        .map((name) => name.replace(/\s+as\s+/, ": "));
      return `const { ${wanted.join(", ")} } = modules[${JSON.stringify(module)}];${blank(text)}`;
    })
    .replace(EXPORT, "exports.default = ");
  const exports: { default?: unknown } = {};
  let run: (modules: typeof MODULES, exports: { default?: unknown }) => void;
  try {
    run = new Function("modules", "exports", `"use strict";${body}`) as typeof run;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new SetwayError("usage", `the code can't be run: ${cause.message}`, {
      expected: "JavaScript; type annotations are not stripped in the page",
      cause,
    });
  }
  run(MODULES, exports);
  const stories = [exports.default].flat();
  if (!stories.every(isStory)) {
    throw new SetwayError("usage", "not a story", {
      found: typeof exports.default,
      expected: "what defineStory returns",
    });
  }
  return stories;
}

/** As many line ends, so that places in errors stay right. */
const blank = (text: string): string => text.replace(/[^\n]+/g, "");
