/**
 * Device tree source, as `dtc` reads it: nodes, labels, references, deletions, expressions. What the C preprocessor would
 * have done must be done already; includes and macro names are errors that say how.
 */
import { MachineError } from "../../engine/errors.ts";
import { type DeviceTreeNode, MAX_DEPTH, MAX_NODES, MAX_PROPERTIES, newNode, pathOf, walk } from "./device-tree.ts";

const PREPROCESS = "source after `cpp -nostdinc -undef -x assembler-with-cpp -I include`, or a blob from `dtc -O dtb`";

export const isDeviceTreeSource = (text: string): boolean => /^\s*\/dts-v1\/\s*;/m.test(text.slice(0, 65536));

/** The tree's root. Throws `MachineError` with line and column. */
export function readDeviceTreeSource(name: string, text: string): DeviceTreeNode {
  return new Source(name, text).tree();
}

/** A reference in a value that can only be known when the whole tree is. */
interface Pending {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly target: string;
  readonly position: number;
}

/** A property of several parts, which are joined when all references in them are known. */
interface Parts {
  readonly node: DeviceTreeNode;
  readonly property: string;
  /** What stands in the node until then. */
  readonly placeholder: Uint8Array;
  readonly parts: readonly (Uint8Array | PathReference)[];
}

/** The path of another node as a value. */
interface PathReference {
  readonly target: string;
  readonly position: number;
}

const NAME = /[A-Za-z0-9,._+*#?@-]+/y;
const LABEL = /[A-Za-z_][A-Za-z0-9_]*/y;
const BLANK = /(?:[ \t\r\n\f\v]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|^#(?: |line )[^\n]*)/my;
const NUMBER = /(?:0[xX][0-9a-fA-F]+|[0-9]+)(?:ULL|UL|LL|U|L)?/iy;

class Source {
  readonly #name: string;
  readonly #text: string;
  #at = 0;
  readonly #labels = new Map<string, DeviceTreeNode>();
  readonly #pending: Pending[] = [];
  readonly #unjoined: Parts[] = [];
  readonly #root = newNode("", undefined);
  /** Children by name: siblings may be many. */
  readonly #children = new Map<DeviceTreeNode, Map<string, DeviceTreeNode>>();
  /** Deleted nodes stay among their siblings until the tree is whole. */
  readonly #removed = new Set<DeviceTreeNode>();
  #nodes = 0;
  #properties = 0;

  constructor(name: string, text: string) {
    this.#name = name;
    this.#text = text.replace(/^\uFEFF/, "");
  }

  tree(): DeviceTreeNode {
    let sawVersion = false;
    let sawRoot = false;
    for (;;) {
      this.#blank();
      if (this.#at >= this.#text.length) break;
      if (this.#take("/dts-v1/")) {
        this.#expect(";");
        sawVersion = true;
        continue;
      }
      if (!sawVersion) this.#fail("no version first", { expected: "/dts-v1/;" });
      if (this.#take("/plugin/"))
        this.#fail("an overlay is no whole tree", { expected: "the tree with the overlay applied" });
      if (this.#take("/memreserve/")) {
        this.#skipTo(";");
      } else if (this.#take("/include/") || this.#take("/incbin/")) {
        this.#fail("can't include another file", { expected: PREPROCESS });
      } else if (this.#take("/delete-node/")) {
        const target = this.#reference();
        this.#expect(";");
        const node = this.#resolve(target, this.#at);
        if (node.parent === undefined) this.#fail("the root can't be deleted");
        this.#remove(node);
      } else if (this.#take("/omit-if-no-ref/")) {
      } else {
        const labels = this.#takeLabels();
        if (this.#take("/")) {
          sawRoot = true;
          this.#body(this.#root, 1);
          for (const label of labels) this.#labels.set(label, this.#root);
        } else if (this.#peek() === "&") {
          const position = this.#at;
          const node = this.#resolve(this.#reference(), position);
          for (const label of labels) this.#labels.set(label, node);
          this.#body(node, depthOf(node) + 1);
        } else this.#unexpected("a node");
        this.#expect(";");
      }
    }
    if (!sawRoot) this.#fail("no root node", { expected: "/ { ... };" });
    this.#settle();
    return this.#root;
  }

  #body(node: DeviceTreeNode, depth: number): void {
    if (depth > MAX_DEPTH) this.#fail(`nodes nest deeper than ${MAX_DEPTH}`);
    this.#expect("{");
    for (;;) {
      this.#blank();
      if (this.#take("}")) return;
      if (this.#take("/delete-node/")) {
        this.#blank();
        if (this.#peek() === "&") {
          const position = this.#at;
          const target = this.#resolve(this.#reference(), position);
          if (target.parent !== undefined) this.#remove(target);
        } else {
          const target = this.#child(node, this.#word(NAME, "a node's name"));
          if (target !== undefined) this.#remove(target);
        }
        this.#expect(";");
        continue;
      }
      if (this.#take("/delete-property/")) {
        this.#blank();
        node.properties.delete(this.#word(NAME, "a property's name"));
        this.#expect(";");
        continue;
      }
      if (this.#take("/include/")) this.#fail("can't include another file", { expected: PREPROCESS });
      this.#take("/omit-if-no-ref/");
      const labels = this.#takeLabels();
      this.#blank();
      const position = this.#at;
      const name = this.#word(NAME, "a property or a node");
      this.#blank();
      if (this.#peek() === "{") {
        const begun = this.#child(node, name) ?? this.#begin(node, name);
        for (const label of labels) this.#labels.set(label, begun);
        this.#body(begun, depth + 1);
        this.#expect(";");
      } else if (++this.#properties > MAX_PROPERTIES) {
        this.#fail(`more than ${MAX_PROPERTIES} properties`);
      } else if (this.#take("=")) {
        this.#value(node, name);
      } else if (this.#take(";")) {
        node.properties.set(name, new Uint8Array());
      } else {
        this.#at = position;
        this.#unexpected("`=`, `{` or `;` after a name");
      }
    }
  }

  #value(node: DeviceTreeNode, property: string): void {
    const parts: (Uint8Array | PathReference)[] = [];
    do {
      this.#takeLabels();
      this.#blank();
      const next = this.#peek();
      if (next === '"') parts.push(this.#string());
      else if (next === "[") parts.push(this.#byteString());
      else if (next === "&") parts.push({ position: this.#at, target: this.#reference() });
      else if (next === "<") parts.push(this.#cells(32));
      else if (this.#take("/bits/")) {
        this.#blank();
        const bits = Number(this.#word(NUMBER, "8, 16, 32 or 64"));
        if (![8, 16, 32, 64].includes(bits))
          this.#fail("no such width", { found: `${bits}`, expected: "8, 16, 32 or 64" });
        this.#blank();
        parts.push(this.#cells(bits));
      } else if (this.#take("/incbin/")) this.#fail("can't include another file", { expected: PREPROCESS });
      else this.#unexpected('a value: "text", <cells>, [bytes] or &reference');
      this.#takeLabels();
      this.#blank();
    } while (this.#take(","));
    this.#expect(";");
    const [only] = parts;
    if (parts.length === 1 && only instanceof Uint8Array) {
      node.properties.set(property, only);
    } else {
      const placeholder = new Uint8Array();
      node.properties.set(property, placeholder);
      this.#unjoined.push({ node, property, placeholder, parts });
    }
  }

  #cells(bits: number): Uint8Array {
    this.#expect("<");
    const width = bits / 8;
    const values: (bigint | PathReference)[] = [];
    for (;;) {
      this.#takeLabels();
      this.#blank();
      if (this.#take(">")) break;
      const next = this.#peek();
      if (next === "&") {
        if (bits !== 32) this.#fail("a reference needs 32 bits");
        values.push({ position: this.#at, target: this.#reference() });
      } else if (next === "(") values.push(this.#expression(0));
      else if (next === "'") values.push(this.#character());
      else if (/[A-Za-z_]/.test(next)) {
        const position = this.#at;
        const word = this.#word(LABEL, "a number");
        this.#at = position;
        this.#fail("a macro's name where a number should be", { found: word, expected: PREPROCESS });
      } else values.push(this.#number());
    }
    const bytes = new Uint8Array(values.length * width);
    for (const [index, value] of values.entries()) {
      if (typeof value === "bigint") writeNumber(bytes, index * width, width, value);
      else this.#pending.push({ bytes, offset: index * width, ...value });
    }
    return bytes;
  }

  #string(): Uint8Array {
    const start = this.#at;
    this.#at++;
    const bytes: number[] = [];
    const encoder = new TextEncoder();
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) {
        this.#at = start;
        this.#fail("a text doesn't end", { expected: '"' });
      }
      if (character === '"') break;
      if (character === "\\") bytes.push(this.#escape());
      else if (character < "\u0080") {
        bytes.push(character.charCodeAt(0));
        this.#at++;
      } else {
        const point = String.fromCodePoint(this.#text.codePointAt(this.#at)!);
        bytes.push(...encoder.encode(point));
        this.#at += point.length;
      }
    }
    this.#at++;
    bytes.push(0);
    return Uint8Array.from(bytes);
  }

  #escape(): number {
    const match = /\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|([\s\S]))/y;
    match.lastIndex = this.#at;
    const found = match.exec(this.#text);
    if (found === null) this.#fail("an escape doesn't end");
    this.#at += found[0].length;
    if (found[1] !== undefined) return Number.parseInt(found[1], 16);
    if (found[2] !== undefined) return Number.parseInt(found[2], 8) & 0xff;
    const named: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 };
    return named[found[3]!] ?? found[3]!.charCodeAt(0) & 0xff;
  }

  #byteString(): Uint8Array {
    this.#expect("[");
    const digits: string[] = [];
    for (;;) {
      this.#takeLabels();
      this.#blank();
      if (this.#take("]")) break;
      const pair = /[0-9a-fA-F]{2}/y;
      digits.push(this.#word(pair, "two hexadecimal digits"));
    }
    return Uint8Array.from(digits, (pair) => Number.parseInt(pair, 16));
  }

  #number(): bigint {
    return BigInt(
      this.#word(NUMBER, "a number")
        .replace(/[uUlL]+$/, "")
        .replace(/^0(?=[0-7]+$)/, "0o"),
    );
  }

  #character(): bigint {
    const start = this.#at;
    this.#at++;
    const value = this.#peek() === "\\" ? this.#escape() : this.#text.charCodeAt(this.#at++) & 0xff;
    if (this.#peek() !== "'") {
      this.#at = start;
      this.#fail("a character doesn't end", { expected: "'" });
    }
    this.#at++;
    return BigInt(value);
  }

  /** C expressions with C's precedence, on 64-bit numbers. */
  #expression(depth: number): bigint {
    this.#expect("(");
    const value = this.#ternary(depth + 1);
    this.#expect(")");
    return value;
  }

  #ternary(depth: number): bigint {
    if (depth > MAX_DEPTH) this.#fail(`an expression nests deeper than ${MAX_DEPTH}`);
    const condition = this.#binary(0, depth);
    this.#blank();
    if (!this.#take("?")) return condition;
    const yes = this.#ternary(depth + 1);
    this.#expect(":");
    const no = this.#ternary(depth + 1);
    return condition === 0n ? no : yes;
  }

  #binary(level: number, depth: number): bigint {
    const operators = PRECEDENCE[level];
    if (operators === undefined) return this.#unary(depth);
    let left = this.#binary(level + 1, depth);
    for (;;) {
      this.#blank();
      const position = this.#at;
      const operator = operators.find((candidate) => this.#takeOperator(candidate));
      if (operator === undefined) return left;
      const right = this.#binary(level + 1, depth);
      const result = evaluate(operator, left, right);
      if (result === undefined) {
        this.#at = position;
        this.#fail("division by zero");
      }
      left = BigInt.asUintN(64, result);
    }
  }

  #unary(depth: number): bigint {
    if (depth > MAX_DEPTH) this.#fail(`an expression nests deeper than ${MAX_DEPTH}`);
    this.#blank();
    if (this.#take("-")) return BigInt.asUintN(64, -this.#unary(depth + 1));
    if (this.#take("~")) return BigInt.asUintN(64, ~this.#unary(depth + 1));
    if (this.#take("!")) return this.#unary(depth + 1) === 0n ? 1n : 0n;
    if (this.#peek() === "(") return this.#expression(depth);
    if (this.#peek() === "'") return this.#character();
    if (/[A-Za-z_]/.test(this.#peek())) {
      const position = this.#at;
      const word = this.#word(LABEL, "a number");
      this.#at = position;
      this.#fail("a macro's name where a number should be", { found: word, expected: PREPROCESS });
    }
    return this.#number();
  }

  /** Not the beginning of a longer operator. */
  #takeOperator(operator: string): boolean {
    const rest = this.#text.slice(this.#at, this.#at + 2);
    if (!rest.startsWith(operator)) return false;
    if (operator.length === 1 && TWO_CHARACTER_OPERATORS.includes(rest)) return false;
    this.#at += operator.length;
    return true;
  }

  /** `&label` or `&{/path}`, without the ampersand. */
  #reference(): string {
    this.#blank();
    this.#expect("&");
    if (this.#take("{")) {
      const end = this.#text.indexOf("}", this.#at);
      if (end === -1 || end - this.#at > 1024) this.#fail("a path doesn't end", { expected: "}" });
      const path = this.#text.slice(this.#at, end);
      this.#at = end + 1;
      return path;
    }
    return this.#word(LABEL, "a label");
  }

  #resolve(target: string, position: number): DeviceTreeNode {
    const node = target.startsWith("/") ? this.#byPath(target) : this.#labels.get(target);
    if (node !== undefined && !this.#removed.has(node)) return node;
    this.#at = position;
    this.#fail("a reference to a node that isn't there", { found: `&${target}`.slice(0, 80) });
  }

  #byPath(path: string): DeviceTreeNode | undefined {
    let node: DeviceTreeNode | undefined = this.#root;
    for (const step of path.split("/")) {
      if (step !== "" && node !== undefined) node = this.#child(node, step);
    }
    return node;
  }

  #child(node: DeviceTreeNode, name: string): DeviceTreeNode | undefined {
    return this.#children.get(node)?.get(name);
  }

  #begin(parent: DeviceTreeNode, name: string): DeviceTreeNode {
    if (++this.#nodes > MAX_NODES) this.#fail(`more than ${MAX_NODES} nodes`);
    const node = newNode(name, parent);
    parent.children.push(node);
    const siblings = this.#children.get(parent) ?? new Map<string, DeviceTreeNode>();
    siblings.set(name, node);
    this.#children.set(parent, siblings);
    return node;
  }

  #remove(node: DeviceTreeNode): void {
    if (this.#removed.has(node)) return;
    for (const gone of walk(node)) this.#removed.add(gone);
    this.#children.get(node.parent!)?.delete(node.name);
  }

  /** Writes phandles and paths where they were referred to. */
  #settle(): void {
    if (this.#removed.size > 0) {
      for (const node of walk(this.#root)) {
        const kept = node.children.filter((candidate) => !this.#removed.has(candidate));
        node.children.length = 0;
        for (const each of kept) node.children.push(each);
      }
    }
    const phandleOf = new Map<DeviceTreeNode, number>();
    let highest = 0;
    for (const node of walk(this.#root)) {
      const given = node.properties.get("phandle");
      if (given?.length !== 4) continue;
      const phandle = new DataView(given.buffer, given.byteOffset).getUint32(0);
      phandleOf.set(node, phandle);
      if (phandle < 0xffffffff) highest = Math.max(highest, phandle);
    }
    for (const { bytes, offset, target, position } of this.#pending) {
      const node = this.#resolve(target, position);
      let phandle = phandleOf.get(node);
      if (phandle === undefined) {
        phandle = ++highest;
        phandleOf.set(node, phandle);
        const value = new Uint8Array(4);
        writeNumber(value, 0, 4, BigInt(phandle));
        node.properties.set("phandle", value);
      }
      writeNumber(bytes, offset, 4, BigInt(phandle));
    }
    for (const { node, property, placeholder, parts } of this.#unjoined) {
      if (node.properties.get(property) !== placeholder) continue;
      const known = parts.map((part) =>
        part instanceof Uint8Array
          ? part
          : new TextEncoder().encode(`${pathOf(this.#resolve(part.target, part.position))}\0`),
      );
      node.properties.set(property, joined(known));
    }
  }

  // Characters

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #take(word: string): boolean {
    this.#blank();
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #expect(word: string): void {
    if (!this.#take(word)) this.#unexpected(`\`${word}\``);
  }

  #word(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) this.#unexpected(what);
    if (match[0].length > 256) this.#fail("too long a word", { expected: what });
    this.#at += match[0].length;
    return match[0];
  }

  #takeLabels(): string[] {
    const labels: string[] = [];
    for (;;) {
      this.#blank();
      const label = /[A-Za-z_][A-Za-z0-9_]*:/y;
      label.lastIndex = this.#at;
      const match = label.exec(this.#text);
      if (match === null) return labels;
      this.#at += match[0].length;
      labels.push(match[0].slice(0, -1));
    }
  }

  #blank(): void {
    for (;;) {
      BLANK.lastIndex = this.#at;
      const match = BLANK.exec(this.#text);
      if (match === null) break;
      this.#at += match[0].length;
    }
    if (/^#(include|define|ifdef|ifndef|if|undef)\b/.test(this.#text.slice(this.#at, this.#at + 9))) {
      this.#fail("not preprocessed", {
        found: this.#text.slice(this.#at, this.#at + 60).split("\n")[0]!,
        expected: PREPROCESS,
      });
    }
  }

  #skipTo(word: string): void {
    const end = this.#text.indexOf(word, this.#at);
    if (end === -1) this.#unexpected(`\`${word}\``);
    this.#at = end + word.length;
  }

  #unexpected(expected: string): never {
    const found =
      this.#at >= this.#text.length ? "the end of the text" : JSON.stringify(this.#text.slice(this.#at, this.#at + 20));
    this.#fail("not device tree source", { found, expected });
  }

  #fail(what: string, detail: { found?: string; expected?: string } = {}): never {
    const before = this.#text.slice(0, this.#at).split("\n");
    throw new MachineError(what, {
      file: this.#name,
      line: before.length,
      column: before.at(-1)!.length + 1,
      ...detail,
    });
  }
}

const PRECEDENCE: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["|"],
  ["^"],
  ["&"],
  ["==", "!="],
  ["<=", ">=", "<", ">"],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "%"],
];
const TWO_CHARACTER_OPERATORS: readonly string[] = ["||", "&&", "<<", ">>", "<=", ">=", "==", "!="];

/** Undefined for a division by zero. */
function evaluate(operator: string, left: bigint, right: bigint): bigint | undefined {
  const truth = (value: boolean) => (value ? 1n : 0n);
  switch (operator) {
    case "||":
      return truth(left !== 0n || right !== 0n);
    case "&&":
      return truth(left !== 0n && right !== 0n);
    case "|":
      return left | right;
    case "^":
      return left ^ right;
    case "&":
      return left & right;
    case "==":
      return truth(left === right);
    case "!=":
      return truth(left !== right);
    case "<=":
      return truth(left <= right);
    case ">=":
      return truth(left >= right);
    case "<":
      return truth(left < right);
    case ">":
      return truth(left > right);
    // A shift by 64 or more leaves nothing; a bigint would grow without bound.
    case "<<":
      return right >= 64n ? 0n : left << right;
    case ">>":
      return right >= 64n ? 0n : left >> right;
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0n ? undefined : left / right;
    default:
      return right === 0n ? undefined : left % right;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function depthOf(node: DeviceTreeNode): number {
  let depth = 0;
  for (let at = node.parent; at !== undefined; at = at.parent) depth++;
  return depth;
}

function writeNumber(bytes: Uint8Array, offset: number, width: number, value: bigint): void {
  let rest = BigInt.asUintN(width * 8, value);
  for (let index = width - 1; index >= 0; index--) {
    bytes[offset + index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}
