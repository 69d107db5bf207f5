import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { RefusedError } from '../../../../client/errors.ts';
import { PresetSettings } from '../../../../core/contracts/preset-settings.ts';
import { parseJson } from '../../../../core/contracts/text.ts';
import { Confirm } from '../parts/confirm.tsx';
import { Notice } from '../parts/notice.tsx';
import { tell } from '../parts/toasts.tsx';
import type { Preset } from '../use-presets.ts';
import { useSession } from '../use-session.ts';
import { Ladder } from './ladder.tsx';

/** What may be sent back, as a person reads it. */
function textOf({ rungs, crf, codec, maxFrameRate, segmentSeconds, mp4LongSide, outputs }: Preset): string {
  return JSON.stringify({ rungs, crf, codec, maxFrameRate, segmentSeconds, mp4LongSide, outputs }, null, 2);
}

/** A preset as JSON, as the command takes it too; a built-in one is changed under another name. */
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
      <label>
        Settings
        <textarea rows={20} spellCheck={false} value={text} onChange={({ target }) => setText(target.value)} />
      </label>
      {!parsed.success && (
        <ul className="notice warn">
          {parsed.error.issues.map(({ path, message }) => (
            <li key={path.join('.')}>{`${path.join('.') || 'the text'}: ${message}`}</li>
          ))}
        </ul>
      )}
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
