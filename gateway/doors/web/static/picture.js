// The picture that was chosen: small, with its name and size, one line for what it shows, and a way to take it out again.
const size = (octets) => (octets < 1e6 ? `${Math.ceil(octets / 1e3)} KB` : `${(octets / 1e6).toFixed(1)} MB`);

async function small(file, canvas) {
  const picture = await createImageBitmap(file, { resizeWidth: 144 }).catch(() => null);
  if (!picture) { canvas.remove(); return; }
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").drawImage(picture, 0, 0);
}

function line(form, input, file) {
  const strip = document.createElement("div");
  strip.className = "attached";
  const canvas = document.createElement("canvas");
  const about = document.createElement("div");
  about.className = "grow";
  const name = document.createElement("b");
  name.textContent = file.name;
  about.append(name, ` ${size(file.size)}`);
  const given = form.elements.description;
  const field = given ?? document.createElement("input");
  Object.assign(field, { className: "input", name: "description", maxLength: 500, placeholder: form.dataset.shows });
  field.setAttribute("aria-label", form.dataset.shows);
  about.append(field);
  const out = document.createElement("button");
  Object.assign(out, { type: "button", className: "icon-button", textContent: "×" });
  out.setAttribute("aria-label", form.dataset.remove);
  out.addEventListener("click", () => { input.value = ""; strip.remove(); });
  strip.append(canvas, about, out);
  small(file, canvas);
  return strip;
}

export function shows(form) {
  const input = form.querySelector("input[type=file]");
  input?.addEventListener("change", () => {
    form.querySelector(".attached")?.remove();
    if (input.files[0]) form.querySelector(".with").before(line(form, input, input.files[0]));
  });
}
