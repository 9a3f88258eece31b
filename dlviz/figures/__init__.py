"""From a result to a Plotly figure. No Streamlit, no torch: words reach a figure as arguments."""
