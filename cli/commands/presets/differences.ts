/** What two presets say differently. */
export interface Difference {
  /** `crf`, `outputs.mp4`, `1080p.maxBitrate` */
  field: string;
  from: string;
  to: string;
}

/** Of these the API tells, and they are not what a preset says. */
const NOT_SAID = new Set(['name', 'version', 'builtIn', 'creatorId', 'createdAt', 'users']);
const NOTHING = '–';

/** In the order of the fields of the first, then what only the second has. Rungs are compared by their sizes. */
export function changesBetween(before: object, after: object): Difference[] {
  const [from, to] = [flat(before), flat(after)];
  return [...new Set([...from.keys(), ...to.keys()])].flatMap((field) => {
    const [was, is] = [from.get(field) ?? NOTHING, to.get(field) ?? NOTHING];
    return was === is ? [] : [{ field, from: was, to: is }];
  });
}

function flat(preset: object): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(preset)) {
    if (NOT_SAID.has(name)) continue;
    if (name === 'rungs' && Array.isArray(value)) for (const rung of value) addRung(fields, rung);
    else if (typeof value === 'object' && value !== null) {
      for (const [inner, each] of Object.entries(value)) fields.set(`${name}.${inner}`, String(each));
    } else fields.set(name, String(value));
  }
  return fields;
}

function addRung(fields: Map<string, string>, rung: unknown): void {
  if (typeof rung !== 'object' || rung === null) return;
  const { shortSide, ...rest } = rung as Record<string, unknown>;
  for (const [inner, each] of Object.entries(rest)) fields.set(`${shortSide}p.${inner}`, String(each));
}
