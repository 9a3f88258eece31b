"""All shared Streamlit code: frame, panels, inputs, and the door to the science."""
