// Everything that happens at the simulator, live. Listeners are called with what happened; "again" says that the stream
// may have missed something.

import { NO_STREAM, streamUrl } from "./asking.js";
import { fine, trouble } from "./banner.js";

export function listen(listeners) {
  const events = new EventSource(streamUrl);
  let lost = false;
  for (const kind of ["text", "mail", "status", "hook", "reset"]) {
    events.addEventListener(kind, (event) => listeners[kind](JSON.parse(event.data)));
  }
  events.addEventListener("gap", () => listeners.again());
  events.addEventListener("open", () => {
    fine("stream");
    if (lost) listeners.again();
    lost = false;
  });
  events.addEventListener("error", () => {
    lost = true;
    trouble("stream", NO_STREAM);
    if (events.readyState === EventSource.CLOSED) {
      events.close();
      setTimeout(() => listen(listeners), 2000);
    }
  });
}
