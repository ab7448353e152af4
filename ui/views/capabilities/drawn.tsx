/** Draws the cells of a row in the map. */
import type { Drawing } from '../../model/map-drawing.ts';

export function Paths({ drawing: { fills, unused, pluses, frames, room, corners } }: { readonly drawing: Drawing }) {
  return (
    <>
      {room !== '' && <path class="room" d={room} />}
      {fills.map(([risk, path]) => (
        <path key={risk} class={`r-${risk}`} d={path} />
      ))}
      {unused.map(([risk, path]) => (
        <path key={`unused ${risk}`} class={`unused r-${risk}`} d={path} />
      ))}
      {pluses !== '' && <path class="pluses" d={pluses} />}
      {frames !== '' && <path class="frames" d={frames} />}
      {corners !== '' && <path class="corners" d={corners} />}
    </>
  );
}
