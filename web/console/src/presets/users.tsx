import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { Notice } from '../parts/notice.tsx';
import { useSession } from '../use-session.ts';

/** Who uses a preset: told before it is changed. */
export function Users({ name, version }: { name: string; version: number }) {
  const { client } = useSession();
  const { data, error } = useQuery({
    queryKey: ['preset-users', name, version],
    queryFn: () => client.call('getPreset', { name }),
  });
  if (error) return <Notice error={error} />;
  if (!data?.users) return null;
  const { collections, more } = data.users;
  if (collections.length === 0) {
    return (
      <p className="label">
        No collection uses it. <Link href="/collections">Give it to one</Link>
      </p>
    );
  }
  return (
    <p className="label">
      {'Used by '}
      {collections.map(({ id, media, complete }, i) => (
        <span key={id}>
          {i > 0 && ', '}
          <Link href={`/?collection=${id}`}>{id}</Link>
          {` (${complete ? '' : 'more than '}${media} media)`}
        </span>
      ))}
      {more > 0 && ` and ${more} more collections`}
    </p>
  );
}
