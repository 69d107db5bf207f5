import { type ReactNode, useId } from 'react';
import { OPTIONAL_NAMES } from '../../../../core/contracts/outputs.ts';
import { FRAME_RATES, MOST_RUNGS, SEGMENT_SECONDS } from '../../../../core/contracts/preset-settings.ts';
import type { Draft } from './draft.ts';

/** What is wrong, by the field's place as `rungs.0.maxBitrate`. */
export type Faults = ReadonlyMap<string, string>;

type Rung = Draft['rungs'][number];

const OUTPUT_NAMES: Readonly<Record<(typeof OPTIONAL_NAMES)[number], string>> = {
  preview: 'Preview that plays on a card',
  mp4: 'MP4 for download',
  poster: 'Poster',
  posterLarge: 'Large poster',
  thumbnail: 'Thumbnail',
  waveform: 'Waveform of sound',
};

/** The settings that people change, each with what is wrong of it beside it. */
export function Fields({ draft, faults, set }: { draft: Draft; faults: Faults; set: (draft: Draft) => void }) {
  const { crf, maxFrameRate, segmentSeconds, mp4LongSide, loudnessTarget = null, outputs } = draft;
  return (
    <>
      <Rungs draft={draft} faults={faults} set={set} />
      <div className="fields">
        <NumberField
          name="Quality (CRF): lower is better, 23 is usual"
          value={crf}
          step={0.5}
          fault={faults.get('crf')}
          set={(value) => set({ ...draft, crf: value })}
        />
        <ChoiceField
          name="Pictures a second at most"
          value={maxFrameRate}
          choices={FRAME_RATES}
          fault={faults.get('maxFrameRate')}
          set={(value) => set({ ...draft, maxFrameRate: value })}
        />
        <ChoiceField
          name="Seconds of a segment"
          value={segmentSeconds}
          choices={SEGMENT_SECONDS}
          fault={faults.get('segmentSeconds')}
          set={(value) => set({ ...draft, segmentSeconds: value })}
        />
        <NumberField
          name="Long side of the MP4, pixels"
          value={mp4LongSide}
          fault={faults.get('mp4LongSide')}
          set={(value) => set({ ...draft, mp4LongSide: value })}
        />
        <NumberField
          name="Loudness of the sound, LUFS: empty keeps the source's"
          value={loudnessTarget}
          step={0.5}
          fault={faults.get('loudnessTarget')}
          // Nothing, not null: JSON leaves it out.
          set={(value) => set({ ...draft, loudnessTarget: value ?? undefined })}
        />
      </div>
      <fieldset>
        <legend>Made beside the stream</legend>
        {OPTIONAL_NAMES.map((output) => (
          <label key={output} className="check">
            <input
              type="checkbox"
              checked={outputs[output] ?? true}
              onChange={({ target }) => set({ ...draft, outputs: { ...outputs, [output]: target.checked } })}
            />
            {OUTPUT_NAMES[output]}
          </label>
        ))}
        <Fault message={faults.get('outputs')} />
      </fieldset>
    </>
  );
}

/** The largest first. */
function Rungs({ draft, faults, set }: { draft: Draft; faults: Faults; set: (draft: Draft) => void }) {
  const { rungs } = draft;
  const change = (at: number, change: Partial<Rung>) =>
    set({ ...draft, rungs: rungs.map((rung, i) => (i === at ? { ...rung, ...change } : rung)) });
  const add = () => {
    const last = rungs.at(-1);
    const smaller = { shortSide: even(half(last?.shortSide)), maxBitrate: half(half(last?.maxBitrate)), audio: '64k' };
    set({ ...draft, rungs: [...rungs, smaller] });
  };
  return (
    <fieldset>
      <legend>Sizes of the stream, the largest first</legend>
      {rungs.map((rung, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a rung is its place, whatever is typed there
        <div key={i} className="fields rung">
          <NumberField
            name={`Size ${i + 1}: short side, pixels`}
            value={rung.shortSide}
            step={2}
            fault={faults.get(`rungs.${i}.shortSide`)}
            set={(shortSide) => change(i, { shortSide })}
          />
          <NumberField
            name={`Size ${i + 1}: at most, kbit/s`}
            value={rung.maxBitrate === null ? null : rung.maxBitrate / 1000}
            fault={faults.get(`rungs.${i}.maxBitrate`)}
            set={(kbit) => change(i, { maxBitrate: kbit === null ? null : Math.round(kbit * 1000) })}
          />
          <Described name={`Size ${i + 1}: sound`} fault={faults.get(`rungs.${i}.audio`)}>
            {(described) => (
              <select value={rung.audio} onChange={({ target }) => change(i, { audio: target.value })} {...described}>
                <option>128k</option>
                <option>64k</option>
              </select>
            )}
          </Described>
          <button
            type="button"
            className="quiet"
            aria-label={`Remove size ${i + 1}`}
            disabled={rungs.length === 1}
            onClick={() => set({ ...draft, rungs: rungs.filter((_, at) => at !== i) })}
          >
            Remove
          </button>
        </div>
      ))}
      <Fault message={faults.get('rungs')} />
      <button type="button" disabled={rungs.length >= MOST_RUNGS} onClick={add}>
        Add a smaller size
      </button>
    </fieldset>
  );
}

const half = (value: number | null | undefined) => Math.round((value ?? 0) / 2);
const even = (value: number) => 2 * Math.round(value / 2);

interface Common {
  name: string;
  value: number | null;
  fault: string | undefined;
  set: (value: number | null) => void;
}

function NumberField({ name, value, fault, set, step = 1 }: Common & { step?: number }) {
  return (
    <Described name={name} fault={fault}>
      {(described) => (
        <input
          type="number"
          step={step}
          value={typeof value === 'number' ? value : ''}
          onChange={({ target }) => set(target.value === '' ? null : Number(target.value))}
          {...described}
        />
      )}
    </Described>
  );
}

function ChoiceField({ name, value, choices, fault, set }: Common & { choices: readonly number[] }) {
  return (
    <Described name={name} fault={fault}>
      {(described) => (
        <select value={value ?? ''} onChange={({ target }) => set(Number(target.value))} {...described}>
          {value !== null && !choices.includes(value) && <option>{value}</option>}
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      )}
    </Described>
  );
}

/** A field with its name above it, and what is wrong of it below. */
function Described({
  name,
  fault,
  children,
}: {
  name: string;
  fault: string | undefined;
  children: (described: { id: string; 'aria-invalid': boolean; 'aria-describedby': string | undefined }) => ReactNode;
}) {
  const id = useId();
  const told = fault === undefined ? undefined : `${id}-fault`;
  return (
    <div className="field">
      <label htmlFor={id}>{name}</label>
      {children({ id, 'aria-invalid': fault !== undefined, 'aria-describedby': told })}
      <Fault id={told} message={fault} />
    </div>
  );
}

function Fault({ id, message }: { id?: string | undefined; message: string | undefined }) {
  if (message === undefined) return null;
  return (
    <p id={id} className="why">
      {message}
    </p>
  );
}
