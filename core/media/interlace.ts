/** Which of a picture's fields is the earlier one: its top lines or its bottom lines. */
export type FirstField = 'tff' | 'bff';

/** How a picture looks: of two moments, of one, or, where little moves, of either. */
export interface Look {
  /** By comparing its fields with those of the pictures beside it: FFmpeg's idet. */
  fields: FirstField | 'progressive' | 'undetermined';
  /** Whether what moves in it has comb lines. */
  combed: boolean;
}

/** Pictures of two moments, one after the other: numbers of the first and the last, counted from 0 as they are decoded. */
export interface CombedRun {
  from: number;
  to: number;
  first: FirstField;
}

/** The pictures to deinterlace; `flagged`: those that the codec says are interlaced. */
export type Combed = readonly CombedRun[] | 'flagged';

/** About a second. Moving detail makes progressive pictures look interlaced, of one parity for a while and then of the other. */
const WINDOW = 25;
/** Of the pictures of a window that look like something, these are of one parity. 3:2 pulldown has four of five. */
const MOST = 0.8;
/** Of these, so many have comb lines. 3:2 pulldown has two of five. */
const COMBED = 0.2;
/** More runs than that are taken for one: the filter's option that names them is text. */
const MAX_RUNS = 50;
/** Of a few sampled pictures, so many of one parity are a reason to look at all of them. */
const SUSPICIOUS = 0.25;

/**
 * The pictures to deinterlace, by how all of them look. A second counts where the next or the one before it that shows motion has the same
 * parity, or where it is the only one in a track that says that it is interlaced. Where nothing moves, what was before goes on.
 */
export function combedRuns(looks: readonly Look[], saysInterlaced: boolean): CombedRun[] {
  const decided = Array.from({ length: Math.ceil(looks.length / WINDOW) }, (_, i) => ({
    start: i * WINDOW,
    verdict: verdictOf(looks.slice(i * WINDOW, (i + 1) * WINDOW), MOST),
  })).filter(({ verdict }) => verdict !== 'undetermined');
  const runs: CombedRun[] = [];
  decided.forEach(({ start, verdict }, i) => {
    const [before, after] = [decided[i - 1]?.verdict, decided[i + 1]?.verdict];
    const alone = decided.length === 1 && saysInterlaced;
    if (verdict === 'progressive' || verdict === 'undetermined') return;
    if (!alone && before !== verdict && after !== verdict) return;
    const to = Math.min(looks.length, start + WINDOW) - 1;
    const open = before === verdict ? runs.at(-1) : undefined;
    if (open) open.to = to;
    else runs.push({ from: start, to, first: verdict });
  });
  return few(runs.map((run) => exact(run, looks)));
}

/** Whether pictures that were taken from one place ask for a look at the whole. */
export function isSuspicious(looks: readonly Look[]): boolean {
  return /^[tb]ff$/.test(verdictOf(looks, SUSPICIOUS));
}

function verdictOf(looks: readonly Look[], share: number): Look['fields'] {
  const of = (which: Look['fields']) => looks.filter(({ fields }) => fields === which);
  const [tff, bff, progressive] = [of('tff'), of('bff'), of('progressive')];
  const [first, most] = tff.length >= bff.length ? (['tff', tff] as const) : (['bff', bff] as const);
  const all = tff.length + bff.length + progressive.length;
  if (all === 0) return 'undetermined';
  const combed = most.filter((look) => look.combed).length;
  return most.length >= all * share && combed >= most.length * COMBED && combed > 0 ? first : 'progressive';
}

/** Moves both ends from a window's to those of the pictures that look so, or like nothing, at most a window away. */
function exact({ from, to, first }: CombedRun, looks: readonly Look[]): CombedRun {
  const fits = (i: number) => looks[i]?.fields === first || looks[i]?.fields === 'undetermined';
  const [before, after] = [Math.max(0, from - WINDOW), Math.min(looks.length - 1, to + WINDOW)];
  const run = { from, to, first };
  while (run.from < to && !fits(run.from)) run.from += 1;
  while (run.to > run.from && !fits(run.to)) run.to -= 1;
  while (run.from > before && fits(run.from - 1)) run.from -= 1;
  while (run.to < after && fits(run.to + 1)) run.to += 1;
  return run;
}

function few(runs: CombedRun[]): CombedRun[] {
  const [start, end] = [runs[0], runs.at(-1)];
  if (!start || !end || runs.length <= MAX_RUNS) return runs;
  const of = (which: FirstField) => runs.filter(({ first }) => first === which).length;
  return [{ from: start.from, to: end.to, first: of('tff') >= of('bff') ? 'tff' : 'bff' }];
}

/** A change of luma from which on a point moves. */
const MOVES = 16;
/** How much more the lines differ from their neighbours than from those of their own field. Without combs it is at most 1. */
const RATIO = 1.2;

/**
 * Whether what moves in a picture has comb lines: there a line differs from the next more than from the next but one.
 * @param picture Luma, a byte a point, line by line; `previous` is the picture before it.
 */
export function hasCombs(picture: Uint8Array, previous: Uint8Array, width: number): boolean {
  let [near, far] = [0, 0];
  for (let i = 2 * width; i < picture.length - 2 * width; i++) {
    const at = picture[i] ?? 0;
    if (Math.abs(at - (previous[i] ?? 0)) < MOVES) continue;
    near += ((picture[i - width] ?? 0) + (picture[i + width] ?? 0) - 2 * at) ** 2;
    far += ((picture[i - 2 * width] ?? 0) + (picture[i + 2 * width] ?? 0) - 2 * at) ** 2;
  }
  return near > RATIO * far;
}
