/// What each metric means, by its full name. docs/operations.md says when to worry; a test compares the two.
public let metricDescriptions: [String: String] = [
    "recblr_build_info": "The version that runs; always 1.",
    "recblr_http_connections": "Connections that are open.",
    "recblr_http_connections_refused_total":
        "Connections that ended because a client was too slow or not understood, by reason.",
    "recblr_http_requests_total": "Requests that were answered, by method, route and status.",
    "recblr_http_request_duration_seconds": "Time from the head of a request to its reply, by method and route.",
    "recblr_http_requests_in_flight": "Requests that wait for their reply.",
    "recblr_process_cpu_seconds_total": "Processor time of all threads since the start.",
    "recblr_process_max_fds": "The most files and connections that the process may have open.",
    "recblr_process_open_fds": "Files and connections that are open.",
    "recblr_process_resident_memory_bytes": "Memory of the process that lies in RAM, mapped files included.",
    "recblr_process_start_time_seconds": "When the process started, in seconds since 1970.",
]
