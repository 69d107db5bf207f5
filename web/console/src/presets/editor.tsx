import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { RefusedError } from '../../../../client/errors.ts';
import { PresetSettings } from '../../../../core/contracts/preset-settings.ts';
import { parseJson } from '../../../../core/contracts/text.ts';
import { Confirm } from '../parts/confirm.tsx';
import { Notice } from '../parts/notice.tsx';
import { tell } from '../parts/toasts.tsx';
import type { Preset } from '../use-presets.ts';
import { useSession } from '../use-session.ts';
import { type Draft, read, textOf, write } from './draft.ts';
import { Fields } from './fields.tsx';
import { Ladder } from './ladder.tsx';
import { Users } from './users.tsx';

/** A preset in fields, or as the JSON that the command takes; a built-in one is changed under another name. */
export function Editor({ preset }: { preset: Preset }) {
  const { client } = useSession();
  const queries = useQueryClient();
  const [, go] = useLocation();
  const [name, setName] = useState(preset.builtIn ? `my-${preset.name}` : preset.name);
  const [text, setText] = useState(textOf(preset));
  const [error, setError] = useState<unknown>(null);
  const [used, setUsed] = useState<string | null>(null);
  const parsed = PresetSettings.safeParse(parseJson(text));
  const put = async (confirmed: boolean) => {
    if (!parsed.success) return;
    const saved = await client.call('putPreset', {
      name,
      body: parsed.data,
      ...(name === preset.name ? { ifMatch: `"${preset.version}"` } : { ifNoneMatch: '*' as const }),
      ...(confirmed && { query: { confirm: 'true' as const } }),
    });
    tell(`Saved as version ${saved.version}.`);
    await queries.invalidateQueries({ queryKey: ['presets'] });
    go(`/presets/${name}`);
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    put(false).catch((cause: unknown) => {
      if (cause instanceof RefusedError && cause.problem?.code === 'preset_in_use') setUsed(cause.problem.detail);
      else setError(cause);
    });
  };
  return (
    <form onSubmit={save}>
      <h2>{preset.builtIn ? `${preset.name} is built in: save it under another name` : preset.name}</h2>
      <Users name={preset.name} version={preset.version} />
      <label>
        Name
        <input
          required
          maxLength={40}
          pattern="[a-z0-9][a-z0-9\-]*"
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
      </label>
      <Settings text={text} set={setText} issues={parsed.success ? [] : parsed.error.issues} />
      {parsed.success && <Ladder settings={parsed.data} />}
      {error !== null && <Notice error={error} />}
      <button type="submit" className="primary" disabled={!parsed.success}>
        Save
      </button>
      {used !== null && (
        <Confirm title="It is in use" verb="Save" onDo={() => put(true)} onClose={() => setUsed(null)}>
          <p>{used}</p>
          <p>Later uploads are encoded by the new version. What plays now stays as it is, until it is rolled out.</p>
        </Confirm>
      )}
    </form>
  );
}

type Issues = readonly { path: PropertyKey[]; message: string }[];

function Settings({ text, set, issues }: { text: string; set: (text: string) => void; issues: Issues }) {
  const [search, setSearch] = useSearchParams();
  const draft = read(text);
  const asJson = search.get('as') === 'json' || draft === null;
  const change = (next: Draft) => set(write(next));
  // Of several faults of one field the first says what is allowed.
  const faults = new Map(issues.toReversed().map(({ path, message }) => [path.join('.'), message]));
  const toggle = () =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        if (asJson) after.delete('as');
        else after.set('as', 'json');
        return after;
      },
      { replace: true },
    );
  return (
    <>
      <button type="button" className="quiet" aria-pressed={asJson} disabled={draft === null} onClick={toggle}>
        As JSON
      </button>
      {asJson ? (
        <>
          <label>
            Settings
            <textarea rows={20} spellCheck={false} value={text} onChange={({ target }) => set(target.value)} />
          </label>
          {faults.size > 0 && (
            <ul className="notice warn">
              {[...faults].map(([path, message]) => (
                <li key={path}>{`${path || 'the text'}: ${message}`}</li>
              ))}
            </ul>
          )}
        </>
      ) : (
        <Fields draft={draft} faults={faults} set={change} />
      )}
    </>
  );
}
