/** Elements in one expression. Text is always text: nothing here parses markup. */

type Child = Node | string | undefined | false;
type Attributes = Readonly<Record<string, string | number | boolean | undefined | EventListener>>;

/** An HTML element. Keys that begin with `on` are listeners, `true` is an empty attribute, `false` and undefined none. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  return dressed(document.createElement(name), attributes, children);
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element. */
export function s<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Name] {
  return dressed(document.createElementNS(SVG, name) as SVGElementTagNameMap[Name], attributes, children);
}

function dressed<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child !== undefined && child !== false) element.append(child);
  return element;
}

/** A labelled choice. `change` gets the value chosen. */
export function choice(
  label: string,
  options: readonly { readonly value: string; readonly text?: string; readonly disabled?: string | undefined }[],
  value: string,
  change: (value: string) => void,
): HTMLLabelElement {
  const select = h("select", { onchange: () => change(select.value) });
  for (const option of options) {
    select.append(
      h(
        "option",
        {
          value: option.value,
          disabled: option.disabled !== undefined && option.value !== value,
          title: option.disabled,
        },
        option.text ?? option.value,
      ),
    );
  }
  select.value = value;
  return h("label", { class: "field" }, h("span", {}, label), select);
}

/** `1,234`. */
export const grouped = (value: number): string => value.toLocaleString("en-US");
/** `1 record`, `1,234 records`. */
export const counted = (value: number, noun: string): string => `${grouped(value)} ${noun}${value === 1 ? "" : "s"}`;
export const hex = (value: number): string => `0x${value.toString(16)}`;
