import { Component, type ReactNode } from 'react';
import { Broken } from './broken.tsx';

interface Props {
  /** Another place is another attempt: the address of the page. */
  place: string;
  children: ReactNode;
}

/** Keeps what fails while it is shown from taking the rest of the page, and its uploads, with it. */
export class Boundary extends Component<Props, { error: unknown }> {
  override readonly state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error: error ?? new Error('unknown') };
  }

  override componentDidUpdate({ place }: Props): void {
    if (place !== this.props.place && this.state.error !== null) this.setState({ error: null });
  }

  override render(): ReactNode {
    const { error } = this.state;
    return error === null ? (
      this.props.children
    ) : (
      <Broken error={error} onAgain={() => this.setState({ error: null })} />
    );
  }
}
