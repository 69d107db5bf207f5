import { useState } from 'react';

type Rule = 'default' | 'none' | 'listed';

/** Which sites may show the collection's media in their pages. */
export function EmbedSites({ sites, set }: { sites: readonly string[] | null; set: (sites: string[] | null) => void }) {
  const [rule, setRule] = useState<Rule>(sites === null ? 'default' : sites.length === 0 ? 'none' : 'listed');
  const [text, setText] = useState(sites?.join(' ') ?? '');
  const choose = (chosen: Rule, list: string) => {
    setRule(chosen);
    setText(list);
    if (chosen === 'listed') set(list.split(/[\s,]+/).filter(Boolean));
    else set(chosen === 'none' ? [] : null);
  };
  return (
    <>
      <label>
        Embedding
        <select value={rule} onChange={({ target }) => choose(target.value as Rule, text)}>
          <option value="default">any site if it is public, none if private</option>
          <option value="listed">these sites</option>
          <option value="none">no site</option>
        </select>
      </label>
      {rule === 'listed' && (
        <label>
          Sites, such as https://www.example.com https://*.example.org
          <input required value={text} onChange={({ target }) => choose('listed', target.value)} />
        </label>
      )}
    </>
  );
}
