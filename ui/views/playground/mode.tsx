/** Lets the user choose between the two questions of the playground. */
interface ModeProps {
  readonly compares: boolean;
  onChange(compares: boolean): void;
}

const MODES = [
  { compares: false, text: 'Evaluate pods' },
  { compares: true, text: 'Compare' },
] as const;

export function Mode({ compares, onChange }: ModeProps) {
  return (
    <fieldset class="play-mode">
      <legend class="visually-hidden">What to do with the policies</legend>
      {MODES.map((mode) => (
        <label key={mode.text}>
          <input
            type="radio"
            name="mode"
            checked={mode.compares === compares}
            onChange={() => onChange(mode.compares)}
          />
          {mode.text}
        </label>
      ))}
    </fieldset>
  );
}
