# The same app as `make run`, as a non-root user.
#   docker build -t dlviz .                                                            (CPU)
#   docker build -t dlviz --build-arg BASE=nvidia/cuda:13.0.0-runtime-ubuntu24.04 .    (CUDA; run with --gpus all)
ARG BASE=python:3.12-slim-bookworm
FROM ${BASE}

# CUDA bases bring no Python; the slim Python base needs none of this but the OpenMP runtime.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgomp1 \
 && (command -v python3 >/dev/null || apt-get install -y --no-install-recommends python3 python3-venv) \
 && rm -rf /var/lib/apt/lists/*

# A volume takes the owner of the folder it covers: without it the app could not write what it downloads.
RUN useradd --create-home --uid 1001 dlviz \
 && install -d -o dlviz -g dlviz /home/dlviz/app /home/dlviz/models
WORKDIR /home/dlviz/app
RUN python3 -m venv /opt/dlviz
ENV PATH=/opt/dlviz/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

COPY --chown=dlviz:dlviz . .
USER dlviz
ENV DLVIZ_HOST=0.0.0.0 DLVIZ_PORT=8501 DLVIZ_HOME=/home/dlviz/models
VOLUME /home/dlviz/models
EXPOSE 8501
HEALTHCHECK --start-period=60s \
  CMD python3 -c "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['DLVIZ_PORT'] + '/ready')"
CMD ["python3", "-m", "dlviz"]
