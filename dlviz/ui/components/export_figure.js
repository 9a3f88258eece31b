// Saves a Plotly figure as PNG or SVG in the browser. plotly.js is fetched from our own server at the first
// click, so that a page which nobody exports from does not pay for it.

function loadPlotly(url) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error(`could not load ${url}`));
    document.head.appendChild(script);
  });
}

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".export");
  root.replaceChildren();
  for (const format of ["png", "svg"]) {
    const button = document.createElement("button");
    button.textContent = data.labels[format];
    button.onclick = async () => {
      button.disabled = true;
      try {
        const plotly = await loadPlotly(data.plotly);
        const figure = JSON.parse(data.figure);
        figure.layout.paper_bgcolor = data.ground;
        await plotly.downloadImage(figure, {
          format, filename: data.name, width: data.width, height: data.height, scale: format === "png" ? 2 : 1,
        });
      } finally {
        button.disabled = false;
      }
    };
    root.appendChild(button);
  }
}
