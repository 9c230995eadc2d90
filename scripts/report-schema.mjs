// Makes the JSON Schema of what every verb prints as JSON from the types in src/report/published.ts: interfaces become
// definitions, their comments descriptions. Objects stay open, since keys are added in later versions.
import typescript from "typescript";
import { ROOT } from "./install.mjs";

const SOURCE = `${ROOT}/src/report/published.ts`;
const { TypeFlags, SymbolFlags } = typescript;

/** The schema as an object. Throws where a type has no place in JSON. */
export function reportSchema() {
  const { config } = typescript.readConfigFile(`${ROOT}/tsconfig.json`, typescript.sys.readFile);
  const { options } = typescript.parseJsonConfigFileContent(config, typescript.sys, ROOT);
  const program = typescript.createProgram([SOURCE], { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(SOURCE);
  const published = checker
    .getExportsOfModule(checker.getSymbolAtLocation(source))
    .find(({ name }) => name === "PublishedResults");
  const definitions = {};
  const converter = new Converter(checker, definitions);
  const verbs = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(published)).map((symbol) => ({
    title: `setway ${symbol.name} --json`,
    ...converter.schemaOf(checker.getTypeOfSymbol(symbol), symbol.name),
  }));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "What setway prints as JSON",
    description: "One object a run, by verb. Keys are only ever added, never renamed.",
    anyOf: verbs,
    $defs: definitions,
  };
}

class Converter {
  #checker;
  #definitions;
  #names = new Map();

  constructor(checker, definitions) {
    this.#checker = checker;
    this.#definitions = definitions;
  }

  schemaOf(type, place) {
    const { flags } = type;
    if (flags & (TypeFlags.String | TypeFlags.TemplateLiteral | TypeFlags.StringMapping)) return { type: "string" };
    if (flags & TypeFlags.Number) return { type: "number" };
    if (flags & TypeFlags.Boolean) return { type: "boolean" };
    if (flags & TypeFlags.Null) return { type: "null" };
    if (flags & (TypeFlags.StringLiteral | TypeFlags.NumberLiteral)) return { const: type.value };
    if (flags & TypeFlags.BooleanLiteral) return { const: type.intrinsicName === "true" };
    if (flags & (TypeFlags.Unknown | TypeFlags.Any)) return {};
    if (flags & TypeFlags.Union) return this.#union(type, place);
    if (flags & (TypeFlags.Object | TypeFlags.Intersection)) return this.#object(type, place);
    throw new Error(`${place}: no JSON for ${this.#checker.typeToString(type)}`);
  }

  #union(type, place) {
    const parts = type.types.filter(({ flags }) => !(flags & TypeFlags.Undefined));
    const isBoolean = parts.filter(({ flags }) => flags & TypeFlags.BooleanLiteral).length === 2;
    const rest = isBoolean ? parts.filter(({ flags }) => !(flags & TypeFlags.BooleanLiteral)) : parts;
    const words = rest.filter(({ flags }) => flags & TypeFlags.StringLiteral).map(({ value }) => value);
    const others = rest.filter(({ flags }) => !(flags & TypeFlags.StringLiteral));
    const schemas = [
      ...(words.length > 0 ? [{ enum: words }] : []),
      ...(isBoolean ? [{ type: "boolean" }] : []),
      ...others.map((part) => this.schemaOf(part, place)),
    ];
    return schemas.length === 1 ? schemas[0] : { anyOf: schemas };
  }

  #object(type, place) {
    const checker = this.#checker;
    if (checker.isTupleType(type)) {
      const items = checker.getTypeArguments(type).map((item, index) => this.schemaOf(item, `${place}[${index}]`));
      return { type: "array", prefixItems: items, minItems: items.length, maxItems: items.length };
    }
    if (checker.isArrayType(type)) {
      return { type: "array", items: this.schemaOf(checker.getTypeArguments(type)[0], `${place}[]`) };
    }
    const name = this.#nameOf(type);
    if (name === undefined) return this.#members(type, place);
    if (this.#definitions[name] === undefined) {
      // Known before its members are: a type may hold itself.
      this.#definitions[name] = {};
      this.#definitions[name] = { ...described(type.symbol, checker), ...this.#members(type, place) };
    }
    return { $ref: `#/$defs/${name}` };
  }

  /** Of an interface of ours; others are written where they are. */
  #nameOf(type) {
    const { symbol } = type;
    if (symbol === undefined || !(symbol.flags & SymbolFlags.Interface) || type.typeArguments?.length > 0)
      return undefined;
    const known = this.#names.get(type);
    if (known !== undefined) return known;
    const taken = new Set(this.#names.values());
    let name = symbol.name;
    for (let number = 2; taken.has(name); number++) name = `${symbol.name}${number}`;
    this.#names.set(type, name);
    return name;
  }

  #members(type, place) {
    const checker = this.#checker;
    const symbols = checker.getPropertiesOfType(type);
    const properties = symbols.map((symbol) => [
      symbol.name,
      { ...this.schemaOf(checker.getTypeOfSymbol(symbol), `${place}.${symbol.name}`), ...described(symbol, checker) },
    ]);
    const required = symbols.filter((symbol) => !mayBeAbsent(symbol, checker)).map(({ name }) => name);
    const [index] = checker.getIndexInfosOfType(type);
    return {
      type: "object",
      ...(properties.length > 0 ? { properties: Object.fromEntries(properties) } : {}),
      ...(required.length > 0 ? { required } : {}),
      ...(index === undefined ? {} : { additionalProperties: this.schemaOf(index.type, `${place}.*`) }),
    };
  }
}

/** What is undefined isn't written. */
function mayBeAbsent(symbol, checker) {
  if (symbol.flags & SymbolFlags.Optional) return true;
  const type = checker.getTypeOfSymbol(symbol);
  return (type.flags & TypeFlags.Union) !== 0 && type.types.some(({ flags }) => flags & TypeFlags.Undefined);
}

function described(symbol, checker) {
  const text = typescript.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s+/g, " ").trim();
  return text === "" ? {} : { description: text };
}
